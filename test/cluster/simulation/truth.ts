/**
 * What really happened: the records of the shared log, in their order, as they were put there. All that nodes and clients see is held
 * against it. It is kept whole, also where the log was trimmed.
 */
import { readRecord } from '../../../gen/kelp/storage/v1/log_codec.ts';
import { decodeRecord } from '../../../src/shared-log/record-format.ts';
import { walkRecords } from '../../../src/wal/frames/records.ts';
import { storeId } from '../../shared-log/world.ts';

export interface TrueChange {
  readonly key: string;
  /** `undefined`: it is gone. */
  readonly value: string | undefined;
  /** 0: for ever. */
  readonly expireTimeMs: number;
  readonly type: 'put' | 'delete' | 'touch';
}

export interface TrueEntry {
  readonly value: string;
  readonly modRevision: number;
  readonly expireTimeMs: number;
}

interface Transaction {
  readonly position: number;
  readonly changes: readonly TrueChange[];
}

export class Truth {
  /** Of revision 1, 2, ... */
  readonly #transactions: Transaction[] = [];
  /** States by revision, where they were asked for. */
  readonly #states = new Map<number, ReadonlyMap<string, TrueEntry>>([[0, new Map()]]);
  readonly #revisionByPosition: number[] = [0];
  /** The epoch of each position. */
  readonly epochs: number[] = [0];
  readonly writerByEpoch = new Map<number, string>();

  get revision(): number {
    return this.#transactions.length;
  }

  get position(): number {
    return this.epochs.length - 1;
  }

  /** A record was put into the log. */
  take(position: number, bytes: Uint8Array): void {
    if (position !== this.position + 1) throw new Error(`position ${position} comes behind ${this.position}`);
    const record = decodeRecord({ position, bytes }, storeId);
    this.epochs.push(record.epoch);
    if (record.kind === 'takeOver') this.writerByEpoch.set(record.epoch, record.address);
    else this.#takeBatch(position, Buffer.from(record.bytes));
    this.#revisionByPosition.push(this.revision);
  }

  #takeBatch(position: number, batch: Buffer): void {
    walkRecords(batch, 0, batch.length, (buffer, start, end) => {
      const { revision, effects } = readRecord(buffer, start, end);
      if (revision === 0) return;
      if (revision !== this.revision + 1)
        throw new Error(`position ${position} has revision ${revision} behind ${this.revision}`);
      const changes: TrueChange[] = [];
      for (const { effect } of effects) {
        if (effect.case === 'put') {
          const { key, value, expireTimeMs } = effect.value;
          changes.push({ key: text(key), value: text(value), expireTimeMs, type: 'put' });
        } else if (effect.case === 'delete') {
          changes.push({ key: text(effect.value.key), value: undefined, expireTimeMs: 0, type: 'delete' });
        } else if (effect.case === 'touch') {
          const key = text(effect.value.key);
          const value = this.stateAt(revision - 1).get(key)?.value;
          changes.push({ key, value, expireTimeMs: effect.value.expireTimeMs, type: 'touch' });
        }
      }
      this.#transactions.push({ position, changes });
    });
  }

  /** The changes of a revision. */
  changesOf(revision: number): readonly TrueChange[] {
    return this.#transaction(revision).changes;
  }

  positionOf(revision: number): number {
    return revision === 0 ? 0 : this.#transaction(revision).position;
  }

  /** The newest revision up to a position. */
  revisionAt(position: number): number {
    return this.#revisionByPosition[position] ?? this.revision;
  }

  stateAt(revision: number): ReadonlyMap<string, TrueEntry> {
    const known = this.#states.get(revision);
    if (known !== undefined) return known;
    let from = revision;
    while (!this.#states.has(from)) from--;
    const state = new Map(this.#states.get(from));
    for (let next = from + 1; next <= revision; next++) {
      for (const { key, value, expireTimeMs, type } of this.changesOf(next)) {
        if (value === undefined) state.delete(key);
        else {
          const modRevision = type === 'touch' ? (state.get(key)?.modRevision ?? 0) : next;
          state.set(key, { value, modRevision, expireTimeMs });
        }
      }
    }
    this.#states.set(revision, state);
    return state;
  }

  #transaction(revision: number): Transaction {
    const transaction = this.#transactions[revision - 1];
    if (transaction === undefined)
      throw new Error(`revision ${revision} is not in the shared log, which ends with ${this.revision}`);
    return transaction;
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
