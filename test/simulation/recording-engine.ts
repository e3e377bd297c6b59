/** An engine that tells of all that is applied to it. */
import type { Engine } from '../../src/engine/engine.ts';
import type { PutRow } from '../../src/engine/put-row.ts';
import type { Change } from '../../src/engine/version.ts';
import { NO_BYTES } from '../../src/wire/bytes.ts';

/**
 * Makes an engine tell of every version it is given: what was sequenced is known before any of it is visible.
 * @param onSeal told of the revision at which a checkpoint begins: the store may have taken one for it.
 */
export function recordingEngine(
  engine: Engine,
  onApply: (change: Change) => void,
  onSeal: (revision: number) => void = () => undefined,
): Engine {
  const { durable } = engine;
  if (durable !== undefined) {
    const seal = durable.seal.bind(durable);
    durable.seal = (revision) => {
      seal(revision);
      onSeal(revision);
    };
  }
  const apply = engine.apply.bind(engine);
  const putAll = engine.putAll.bind(engine);
  let isInRow = false;
  engine.apply = (change) => {
    apply(change);
    if (!isInRow) onApply(change);
  };
  engine.putAll = (row) => {
    isInRow = true;
    try {
      const count = putAll(row);
      for (let index = 0; index < count; index++) onApply(putOf(row, index));
      return count;
    } finally {
      isInRow = false;
    }
  };
  return engine;
}

/** What a put of a row has made of its key. */
function putOf(row: PutRow, index: number): Change {
  const revision = row.firstRevision + index;
  return {
    key: row.keys[index] ?? NO_BYTES,
    revision,
    deleted: false,
    value: row.values[index] ?? NO_BYTES,
    kind: row.kind,
    collectionId: row.collectionId,
    createRevision: row.createRevisions[index] ?? 0,
    modRevision: revision,
    version: row.versions[index] ?? 0,
    leaseId: 0,
    ttlMs: 0,
    expireTimeMs: 0,
  };
}
