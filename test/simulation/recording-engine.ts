import type { Change, Engine } from '../../src/engine/engine.ts';

/** An engine that tells of every version as it is applied: what was sequenced is known before any of it is visible. */
export function recordingEngine(engine: Engine, onApply: (change: Change) => void): Engine {
  return {
    read: (key, revision) => engine.read(key, revision),
    readMeta: (key, revision) => engine.readMeta(key, revision),
    scan: (range, revision, options, visit) => engine.scan(range, revision, options, visit),
    count: (range, revision, nowMs) => engine.count(range, revision, nowMs),
    walk: (start, oldest, newest, visitsMax, visit) => engine.walk(start, oldest, newest, visitsMax, visit),
    compact: (revision) => engine.compact(revision),
    maintain: () => engine.maintain(),
    due: (nowMs, limit) => engine.due(nowMs, limit),
    nextDeadlineMs: () => engine.nextDeadlineMs(),
    stats: () => engine.stats(),
    verifyIntegrity: () => engine.verifyIntegrity(),
    apply(change) {
      engine.apply(change);
      onApply(change);
    },
  };
}
