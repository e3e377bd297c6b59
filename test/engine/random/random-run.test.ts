/** Everything that an engine can do, in random order, beside a plain model; longer in `random-run.long.test.ts`. */
import { describe, it } from 'vitest';
import { KEY_SHAPES } from '../contract/key-shapes.ts';
import { runRandomly } from './random-run.ts';

describe('the memory engine beside a plain model', () => {
  it.each(KEY_SHAPES)(
    'answers alike whatever is done in whatever order, with keys of the shape "%s"',
    (shape) => {
      const options = { shape, keyCount: 700, operations: 4000, verifyEvery: 400, slabBytesMax: 128 * 1024 };
      runRandomly(1 + KEY_SHAPES.indexOf(shape), options);
    },
  );
});
