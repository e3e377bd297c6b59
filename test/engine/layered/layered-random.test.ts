/** Everything that an engine can do, in random order, over a base, with checkpoints and restarts in between, beside a plain model. */
import { describe, it } from 'vitest';
import { KEY_SHAPES } from '../contract/key-shapes.ts';
import { runRandomly } from '../random/random-run.ts';

describe('the layered engine beside a plain model', () => {
  it.each(KEY_SHAPES)(
    'answers alike whatever is done in whatever order, with keys of the shape "%s"',
    (shape) => {
      const options = { shape, keyCount: 500, operations: 1000, verifyEvery: 250, slabBytesMax: 128 * 1024 };
      runRandomly(1 + KEY_SHAPES.indexOf(shape), { ...options, checkpointChance: 0.2 });
    },
  );
});
