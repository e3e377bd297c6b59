/**
 * A store of plain maps that runs each call at one instant, some time after it was made and some time before it is
 * answered; some answers are lost. Its histories are right by construction, unless it is given a fault.
 */
import { bytesOf } from '../../src/arguments/value.ts';
import { StoreError } from '../../src/errors.ts';
import type { Compare, Condition, KeyOperation, TxnRequest } from '../../src/api.ts';
import type { SeededRandom } from '../support/random.ts';
import type { CalledStore, SeenEntry, TxnPart } from './called-store.ts';
import { keyOperation } from '../support/key-operations.ts';
import { textKey } from '../support/text-key.ts';

export const storeFaults = [
  /** A get is answered from a state that was, with the revision of then. */
  'staleGet',
  /** The same, but with the revision of now. */
  'staleGetInDisguise',
  /** A read of the past shows the present. */
  'pastIsPresent',
  /** The pages of one read of everything are of different revisions. */
  'tornScan',
  /** The writes of a transaction become visible one after the other. */
  'tornTransaction',
  /** A write of a transaction is forgotten. */
  'partOfTransaction',
  /** An acknowledged write is undone. */
  'lostWrite',
  /** A write shows, then it is undone, and its caller never gets an answer. */
  'dirtyRead',
  /** An increment adds to a number that was. */
  'lostUpdate',
  /** A call is run again, as by a client that repeats it blindly. */
  'doneTwice',
  /** A condition is held against a state that was. */
  'staleCondition',
  /** Two writes share a revision. */
  'sharedRevision',
  /** A revision is left out. */
  'skippedRevision',
  /** A write is acknowledged before it shows. */
  'earlyAcknowledgement',
] as const;

export type StoreFault = (typeof storeFaults)[number];

type Entries = ReadonlyMap<string, SeenEntry>;

/** How often a fault strikes when it could. */
const FAULT_PROBABILITY = 0.3;
/** Turns of the event loop that may pass before a call takes effect, and before it is answered. */
const PAUSES_MAX = 6;

export class PlainStore implements CalledStore {
  readonly #random: SeededRandom;
  readonly #lossProbability: number;
  readonly #fault: StoreFault | undefined;
  #revision = 0;
  /** By revision, the newest last. */
  readonly #history: Entries[] = [new Map()];

  constructor(random: SeededRandom, lossProbability: number, fault?: StoreFault) {
    this.#random = random;
    this.#lossProbability = lossProbability;
    this.#fault = fault;
  }

  get(key: string, { revision }: { readonly revision?: number }): ReturnType<CalledStore['get']> {
    return this.#call(() => {
      const past = this.#past();
      if (revision === undefined && this.#strikes('staleGet')) {
        return { entry: this.#at(past).get(key), revision: past };
      }
      if (revision === undefined && this.#strikes('staleGetInDisguise')) {
        return { entry: this.#at(past).get(key), revision: this.#revision };
      }
      return { entry: this.#read(revision ?? 0).get(key), revision: revision ?? this.#revision };
    });
  }

  async readAll(revision: number): ReturnType<CalledStore['readAll']> {
    const first = await this.#call(() => ({ at: revision || this.#revision, entries: this.#read(revision) }));
    if (revision !== 0 || !this.#strikes('tornScan')) {
      return { entries: [...first.entries.values()], revision: first.at };
    }
    const second = await this.#call(() => this.#read(0));
    const entries = [...first.entries.values()].filter(({ key }) => key < 'c');
    return {
      entries: [...entries, ...[...second.values()].filter(({ key }) => key >= 'c')],
      revision: first.at,
    };
  }

  put(
    key: string,
    value: string,
    options: { readonly condition?: Condition },
  ): ReturnType<CalledStore['put']> {
    return this.#call(() => {
      const current = this.#forConditions().get(key);
      if (options.condition !== undefined && !holds(options.condition, current)) {
        const details = { currentModRevision: current?.modRevision ?? 0 };
        throw new StoreError('conditionFailed', 'it is not so', details);
      }
      return { revision: this.#commit([{ kind: 'put', key, value }]) };
    });
  }

  delete(key: string): ReturnType<CalledStore['delete']> {
    return this.#call(() => {
      const previous = this.#at(this.#revision).get(key);
      return { previous, revision: this.#commit([{ kind: 'delete', key }]) };
    });
  }

  increment(key: string, delta: bigint): ReturnType<CalledStore['increment']> {
    return this.#call(() => {
      const base = this.#strikes('lostUpdate') ? this.#at(this.#past()) : this.#at(this.#revision);
      const value = numberIn(base.get(key)) + delta;
      return { value, revision: this.#commit([{ kind: 'put', key, value: String(value) }]) };
    });
  }

  txn({ compares = [], success = [], failure = [] }: TxnRequest): ReturnType<CalledStore['txn']> {
    return this.#call(() => {
      const conditions = this.#forConditions();
      const succeeded = compares.every((compare) => isSo(compare, conditions));
      const before = this.#at(this.#revision);
      const operations = (succeeded ? success : failure).map(keyOperation);
      const entries = new Map(before);
      const results = operations.map((operation) => {
        const result = resultOf(operation, entries);
        writeInto(entries, operation, this.#revision + 1);
        return result;
      });
      return { succeeded, results, revision: this.#commit(operations) };
    });
  }

  async #call<Answer>(run: () => Answer): Promise<Answer> {
    await this.#pause();
    const isLost = this.#random.chance(this.#lossProbability);
    // It is never run, or nobody is told that it was.
    if (isLost && this.#random.chance(0.5)) throw new StoreError('storageFailed', 'lost');
    const before = this.#history.length;
    const answer = run();
    const hasWritten = this.#history.length > before;
    if (hasWritten && this.#strikes('doneTwice')) run();
    if (hasWritten && this.#strikes('dirtyRead')) {
      await this.#pause();
      this.#undo();
      throw new StoreError('storageFailed', 'lost');
    }
    await this.#pause();
    if (hasWritten && this.#strikes('lostWrite')) this.#undo();
    if (isLost) throw new StoreError('storageFailed', 'lost');
    return answer;
  }

  #commit(operations: readonly KeyOperation[]): number {
    const before = this.#at(this.#revision);
    const writes = effectsOf(operations, before);
    if (writes.length === 0) return this.#revision;
    if (this.#strikes('skippedRevision')) this.#history[++this.#revision] = before;
    const isShared = this.#revision > 0 && this.#strikes('sharedRevision');
    const revision = isShared ? this.#revision : this.#revision + 1;
    const after = new Map(before);
    const apply = (write: KeyOperation): void => writeInto(after, write, revision);
    const [last] = writes.slice(-1);
    const isTorn = writes.length > 1 && last !== undefined;
    if (isTorn && (this.#strikes('tornTransaction') || this.#strikes('partOfTransaction'))) {
      writes.slice(0, -1).forEach(apply);
      if (this.#fault === 'tornTransaction') void this.#pause().then(() => apply(last));
    } else if (this.#strikes('earlyAcknowledgement')) {
      this.#history[revision] = before;
      this.#revision = revision;
      void this.#pause().then(() => (this.#history[revision] = after));
      writes.forEach(apply);
      return revision;
    } else {
      writes.forEach(apply);
    }
    this.#history[revision] = after;
    this.#revision = revision;
    return revision;
  }

  #read(revision: number): Entries {
    const isPresent = revision === 0 || this.#strikes('pastIsPresent');
    return this.#at(isPresent ? this.#revision : revision);
  }

  #forConditions(): Entries {
    return this.#at(this.#strikes('staleCondition') ? this.#past() : this.#revision);
  }

  #at(revision: number): Entries {
    return this.#history[revision] ?? new Map<string, SeenEntry>();
  }

  #past(): number {
    return Math.max(0, this.#revision - this.#random.between(1, 3));
  }

  #undo(): void {
    const before = this.#history[this.#revision - 1];
    if (before !== undefined) this.#history[this.#revision] = before;
  }

  #strikes(fault: StoreFault): boolean {
    return this.#fault === fault && this.#random.chance(FAULT_PROBABILITY);
  }

  async #pause(): Promise<void> {
    for (let turns = this.#random.below(PAUSES_MAX); turns > 0; turns--) await Promise.resolve();
  }
}

/** What operations come to in the end: one write for each key that they change. */
function effectsOf(operations: readonly KeyOperation[], before: Entries): KeyOperation[] {
  const entries = new Map(before);
  for (const operation of operations) writeInto(entries, operation, 0);
  const keys = new Set(operations.flatMap((write) => (isWrite(write) ? [textKey(write.key)] : [])));
  return [...keys].flatMap((key): KeyOperation[] => {
    const entry = entries.get(key);
    if (entry !== undefined) return [{ kind: 'put', key, value: entry.value }];
    return before.has(key) ? [{ kind: 'delete', key }] : [];
  });
}

function isWrite(
  operation: KeyOperation,
): operation is Exclude<KeyOperation, { kind: 'get' | 'deleteRange' }> {
  return operation.kind !== 'get' && operation.kind !== 'deleteRange';
}

function writeInto(entries: Map<string, SeenEntry>, write: KeyOperation, modRevision: number): void {
  if (write.kind === 'delete') entries.delete(textKey(write.key));
  if (write.kind === 'put') {
    entries.set(textKey(write.key), { key: textKey(write.key), value: bytesOf(write.value), modRevision });
  }
  if (write.kind === 'increment') {
    const value = Buffer.from(String(numberIn(entries.get(textKey(write.key))) + BigInt(write.delta)));
    entries.set(textKey(write.key), { key: textKey(write.key), value, modRevision });
  }
}

function resultOf(operation: KeyOperation, before: Entries): TxnPart {
  if (operation.kind === 'get') return { kind: 'get', entry: before.get(textKey(operation.key)) };
  if (operation.kind !== 'increment') return { kind: operation.kind };
  return { kind: 'increment', value: numberIn(before.get(textKey(operation.key))) + BigInt(operation.delta) };
}

function numberIn(entry: SeenEntry | undefined): bigint {
  return entry === undefined ? 0n : BigInt(Buffer.from(entry.value).toString());
}

function holds(condition: Condition, entry: SeenEntry | undefined): boolean {
  if (condition.kind === 'mustNotExist') return entry === undefined;
  if (condition.kind === 'mustExist') return entry !== undefined;
  return entry?.modRevision === condition.modRevision;
}

/** Of the compares only those that histories have. */
function isSo({ subject, operand }: Compare, entries: Entries): boolean {
  const entry = 'key' in subject ? entries.get(textKey(subject.key)) : undefined;
  if (operand.kind === 'exists') return (entry !== undefined) === operand.value;
  if (operand.kind === 'value')
    return entry !== undefined && Buffer.compare(entry.value, bytesOf(operand.value)) === 0;
  return entry?.modRevision === operand.value;
}
