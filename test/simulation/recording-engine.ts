import type { Engine } from '../../src/engine/engine.ts';
import type { Change } from '../../src/engine/version.ts';

/** Makes an engine tell of every version it is given: what was sequenced is known before any of it is visible. */
export function recordingEngine(engine: Engine, onApply: (change: Change) => void): Engine {
  const apply = engine.apply.bind(engine);
  const applyMany = engine.applyMany.bind(engine);
  // An engine may apply many by applying each.
  let isApplyingMany = false;
  engine.apply = (change) => {
    apply(change);
    if (!isApplyingMany) onApply(change);
  };
  engine.applyMany = (changes) => {
    isApplyingMany = true;
    applyMany(changes);
    isApplyingMany = false;
    changes.forEach(onApply);
  };
  return engine;
}
