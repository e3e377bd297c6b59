/**
 * Measures what the hot messages cost to write and to read, by the generated codecs and by protobuf-es. Read a row of
 * ours beside that of protobuf-es for the same message: both are the best rounds of one process, so their ratio holds
 * on a busy machine.
 */
import type { BenchCase } from '../bench-case.ts';
import { measureCodec } from './codec.ts';

const ROUND_MS = 50;
const QUICK_ROUND_MS = 1;

export const codec: BenchCase = {
  async run(context) {
    const samplesByName = new Map<string, number[]>();
    for (let repetition = 0; repetition < context.repetitions; repetition++) {
      for (const { message, direction, by, nanosPerMessage } of measureCodec(
        context.isQuick ? QUICK_ROUND_MS : ROUND_MS,
        1,
      )) {
        const name = `${direction} ${message}, ${by}`;
        const samples = samplesByName.get(name) ?? [];
        samplesByName.set(name, samples);
        samples.push(nanosPerMessage);
      }
    }
    for (const [name, samples] of samplesByName) context.report({ name, unit: 'ns', samples });
  },
};
