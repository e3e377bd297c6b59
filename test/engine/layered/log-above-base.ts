/**
 * What a log would have above the base of a layered engine under test: for its restarts. Of keys that were forgotten it has the names, since a
 * sweep forgets those again that come back.
 */
import { type Engine, type EngineRange, REFUSED_LOAD } from '../../../src/engine/engine.ts';
import type { PutRow } from '../../../src/engine/put-row.ts';
import { type Change, deletionOf, placeChange } from '../../../src/engine/version.ts';
import { fixed } from '../../../src/limits.ts';
import { WorkBudget } from '../../../src/work-budget.ts';

interface ForgottenKeys {
  readonly forgotten: readonly Uint8Array[];
}

export class LogAboveBase {
  #entries: (Change | ForgottenKeys)[] = [];
  /** How much of it was there when the checkpoint under way was sealed. */
  #sealedLength = 0;

  noteChange(change: Change): void {
    this.#entries.push({ ...change, key: new Uint8Array(change.key), value: new Uint8Array(change.value) });
  }

  /** Of a row the puts that were done. */
  noteRow(row: PutRow, count: number): void {
    for (let index = 0; index < count; index++) {
      const [key, value] = [new Uint8Array(row.keys[index]!), new Uint8Array(row.values[index]!)];
      const revision = row.firstRevision + index;
      this.#entries.push({
        ...deletionOf(key, revision),
        deleted: false,
        value,
        kind: row.kind,
        collectionId: row.collectionId,
        createRevision: row.createRevisions[index]!,
        modRevision: revision,
        version: row.versions[index]!,
      });
    }
  }

  /** Forgets keys of a range, and notes which those were. @param forget is what the engine does. */
  forget(engine: Engine, range: EngineRange, limit: number, forget: () => number): number {
    const before = keysIn(engine, range);
    const count = forget();
    const after = new Set(keysIn(engine, range).map(textOf));
    // At the end, those that were dead, and could be read at older revisions, are gone, too.
    const known = count < limit ? [...before, ...this.#changedIn(range)] : before;
    this.#entries.push({ forgotten: known.filter((key) => !after.has(textOf(key))) });
    return count;
  }

  /** A checkpoint has all that is there now. */
  seal(): void {
    this.#sealedLength = this.#entries.length;
  }

  /** What was sealed is in the base. */
  cut(): void {
    this.#entries.splice(0, this.#sealedLength);
    this.#sealedLength = 0;
  }

  /** Into an engine that was opened over what the base has. */
  replay(engine: Engine): void {
    this.#sealedLength = 0;
    for (const entry of this.#entries) {
      if ('forgotten' in entry) forgetAll(engine, entry.forgotten);
      else if (engine.loader.next(placeChange(entry)) === REFUSED_LOAD)
        throw new Error('the log can be loaded above what is durable');
    }
  }

  /** The keys of a range that it has changes of. */
  #changedIn({ start, end }: EngineRange): Uint8Array[] {
    const isWithin = (key: Uint8Array): boolean =>
      Buffer.compare(key, start) >= 0 && (end === undefined || Buffer.compare(key, end) < 0);
    return this.#entries.flatMap((entry) =>
      'forgotten' in entry || !isWithin(entry.key) ? [] : [entry.key],
    );
  }
}

function keysIn(engine: Engine, range: EngineRange): Uint8Array[] {
  const keys: Uint8Array[] = [];
  const options = { reverse: false, budget: new WorkBudget(Infinity) };
  engine.scan(range, fixed.integerMax, options, (version) => keys.push(version.copyKey()) > 0);
  return keys;
}

function forgetAll(engine: Engine, keys: readonly Uint8Array[]): void {
  for (const key of keys) engine.forget({ start: key, end: Buffer.concat([key, Uint8Array.of(0)]) }, 1);
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}
