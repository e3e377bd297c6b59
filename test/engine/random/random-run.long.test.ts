/** A million random operations beside a plain model. */
import { describe, it } from 'vitest';
import { rounds, timeLimitMs } from '../../support/share.ts';
import { KEY_SHAPES } from '../contract/key-shapes.ts';
import { runRandomly } from './random-run.ts';

const OPERATIONS = 20_000;

describe('the memory engine beside a plain model', () => {
  it(
    'answers alike over a million operations',
    () => {
      for (let seed = 100; seed < 100 + rounds(50); seed++) {
        const shape = KEY_SHAPES[seed % KEY_SHAPES.length]!;
        const keyCount = 300 * (1 + (seed % 13));
        const slabBytesMax = 2 ** (17 + (seed % 5));
        runRandomly(seed, { shape, keyCount, operations: OPERATIONS, verifyEvery: 2000, slabBytesMax });
      }
    },
    timeLimitMs(1_800_000),
  );
});
