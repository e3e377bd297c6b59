/** Blocks in slabs, for the tests of the parts that name them. */
import type { Holes } from '../../../src/engine/memory/holes.ts';
import { HEAD, KEY, SHORT_VERSION, headOf, wordsOf } from '../../../src/engine/memory/layout.ts';
import { Slabs } from '../../../src/engine/memory/slabs.ts';
import { Probe } from '../../../src/engine/memory/probe.ts';
import { bytes } from '../contract/changes.ts';

/** Slabs in which nothing is moved. */
export function fixedSlabs(slabBytesMax?: number, holes?: Holes): Slabs {
  return new Slabs(
    () => {
      throw new Error('a block was moved');
    },
    slabBytesMax,
    holes,
  );
}

export function probeOf(text: string): Probe {
  const probe = new Probe();
  probe.set(bytes(text));
  return probe;
}

/** A probe is as long as the longest key: one serves all blocks. */
const shared = new Probe();

/** A version of a key, without a value. @returns its reference. */
export function addBlock(slabs: Slabs, text: string): number {
  shared.set(bytes(text));
  const reference = slabs.allocate((KEY + wordsOf(text.length) + 1) >>> 1);
  const words = slabs.wordsAt(reference);
  const at = Slabs.wordOf(reference);
  words[at + HEAD] = headOf(SHORT_VERSION, text.length, 0);
  shared.writeTo(words, at);
  return reference;
}

export function keyAt(slabs: Slabs, reference: number): string {
  const start = (Slabs.wordOf(reference) + KEY) << 2;
  const { bytes: memory, words } = slabs.memoryAt(reference);
  return Buffer.from(memory.slice(start, start + (words[Slabs.wordOf(reference)]! & 0x1_ffff))).toString(
    'latin1',
  );
}
