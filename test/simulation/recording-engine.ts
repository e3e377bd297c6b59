import type { Engine } from '../../src/engine/engine.ts';
import type { Change } from '../../src/engine/version.ts';

/** Makes an engine tell of every version it is given: what was sequenced is known before any of it is visible. */
export function recordingEngine(engine: Engine, onApply: (change: Change) => void): Engine {
  const apply = engine.apply.bind(engine);
  engine.apply = (change) => {
    apply(change);
    onApply(change);
  };
  return engine;
}
