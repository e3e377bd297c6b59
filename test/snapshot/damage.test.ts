import { beforeAll, describe, expect, it } from 'vitest';
import { zstdCompressSync } from 'node:zlib';
import { crc32 } from 'node:zlib';
import { StoreError } from '../../src/errors.ts';
import { encodeSectionHead, MAGIC, PAYLOAD_BYTES_MAX, sectionKind } from '../../src/snapshot/format.ts';
import type { SectionHead } from '../../src/snapshot/format.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { DIRECTORY, example, readSnapshot, writeSnapshot } from './whole-snapshot.ts';

const PATH = `${DIRECTORY}/00000000000000000001.snapshot`;
let bytes: Uint8Array;
/** The same, cut after the magic and each of the sections. */
let sections: Uint8Array[];

async function bytesOf(snapshot: typeof example): Promise<Uint8Array> {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory(DIRECTORY);
  await writeSnapshot(disk, 1, snapshot);
  return disk.contentOf(PATH);
}

function split(file: Uint8Array): Uint8Array[] {
  const parts = [];
  for (let start = MAGIC.length; start < file.length;) {
    const end = start + 24 + new DataView(file.buffer, file.byteOffset).getUint32(start + 8, true);
    parts.push(file.subarray(start, end));
    start = end;
  }
  return parts;
}

beforeAll(async () => {
  bytes = await bytesOf(example);
  sections = split(bytes);
  expect(sections).toHaveLength(5);
});

/** Reads a file of these bytes, expects that its damage is found, and that nothing wrong was handed out before. */
async function expectDamage(file: Uint8Array, what = /./): Promise<void> {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory(DIRECTORY);
  disk.setContent(PATH, file);
  const { blocks, error } = await readSnapshot(disk, 1);
  expect(error).toBeInstanceOf(StoreError);
  expect(error).toMatchObject({ code: 'damaged' });
  const { message } = error as StoreError;
  expect(message).toContain(PATH);
  expect(message).toMatch(/at offset \d+: /);
  expect(message).toMatch(what);
  for (const [index, { block }] of blocks.entries()) {
    // A whole block of another place passes by itself; the end of the snapshot shows that it is not in its place.
    expect(
      example.blocks.some((original) => block.equals(original.block)),
      `block ${index}`,
    ).toBe(true);
  }
}

describe('damage of a snapshot', () => {
  it('is found wherever one bit is wrong', async () => {
    for (let offset = 0; offset < bytes.length; offset++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = bytes.slice();
        damaged[offset] = (damaged[offset] ?? 0) ^ (1 << bit);
        await expectDamage(damaged);
      }
    }
  });

  it('is found wherever the file is cut', async () => {
    for (let length = 0; length < bytes.length; length++) {
      await expectDamage(bytes.subarray(0, length), /ends early|not a snapshot/);
    }
  });

  it('is found when anything follows the end', async () => {
    await expectDamage(Buffer.concat([bytes, Buffer.alloc(1)]), /goes on after the footer/);
    await expectDamage(Buffer.concat([bytes, bytes]), /goes on after the footer/);
  });

  it('is found when a stretch of the file is zeros, as after a crash that lost pages', async () => {
    for (let start = 0; start < bytes.length; start += 7) {
      const damaged = bytes.slice();
      damaged.fill(0, start, start + 40);
      await expectDamage(damaged);
    }
    await expectDamage(new Uint8Array(bytes.length));
  });

  it('is found when sections are left out, repeated or swapped', async () => {
    const whole = [MAGIC, ...sections];
    await expectDamage(MAGIC, /ends early/);
    for (let a = 1; a < whole.length; a++) {
      await expectDamage(Buffer.concat(whole.toSpliced(a, 1)));
      for (let b = 1; b < whole.length; b++) {
        await expectDamage(Buffer.concat(whole.toSpliced(b, 0, whole[a] ?? MAGIC)));
        if (a !== b)
          await expectDamage(Buffer.concat(whole.with(a, whole[b] ?? MAGIC).with(b, whole[a] ?? MAGIC)));
      }
    }
  });

  it('is found when a section is that of another snapshot', async () => {
    const otherHeader = split(await bytesOf({ ...example, header: Buffer.from('header of the other') }));
    for (const index of [0, 4]) {
      await expectDamage(Buffer.concat([MAGIC, ...sections.with(index, otherHeader[index] ?? MAGIC)]));
    }
    const [first, ...others] = example.blocks;
    const sameCounts = { block: Buffer.from(first?.block ?? []).reverse(), itemCount: first?.itemCount ?? 0 };
    const otherBlock = split(await bytesOf({ ...example, blocks: [sameCounts, ...others] }));
    const forged = Buffer.concat([MAGIC, ...sections.with(1, otherBlock[1] ?? MAGIC)]);
    const disk = new SimulatedDisk({ seed: 1 });
    await disk.makeDirectory(DIRECTORY);
    disk.setContent(PATH, forged);
    const { error } = await readSnapshot(disk, 1);
    expect(String(error)).toMatch(/not in the order, that the footer knows/);
  });
});

/** A file whose first block has a head that is right by its checksum and says what is wrong. */
function withForgedBlock(change: Partial<SectionHead>, payload: Uint8Array): Uint8Array {
  const head = encodeSectionHead({
    kind: sectionKind.block,
    storedBytes: payload.length,
    plainBytes: 1000,
    itemCount: 1,
    payloadChecksum: crc32(payload),
    ...change,
  });
  return Buffer.concat([MAGIC, sections[0] ?? MAGIC, head, payload]);
}

describe('a forged snapshot', () => {
  it('gets no memory for lengths above the limit or beyond the file', async () => {
    await expectDamage(
      withForgedBlock({ plainBytes: PAYLOAD_BYTES_MAX + 1 }, new Uint8Array(10)),
      /more than/,
    );
    await expectDamage(withForgedBlock({ storedBytes: 2 ** 32 - 1 }, new Uint8Array(10)), /more than/);
    await expectDamage(withForgedBlock({ storedBytes: PAYLOAD_BYTES_MAX }, new Uint8Array(10)), /ends early/);
  });

  it('does not decompress to more or less than its head says', async () => {
    const bomb = zstdCompressSync(new Uint8Array(100_000_000));
    expect(bomb.length).toBeLessThan(10_000);
    await expectDamage(withForgedBlock({ plainBytes: 1000 }, bomb), /does not decompress/);
    await expectDamage(withForgedBlock({ plainBytes: 0 }, bomb), /does not decompress/);
    const small = zstdCompressSync(new Uint8Array(999));
    await expectDamage(withForgedBlock({ plainBytes: 1000 }, small), /has 999 bytes/);
    const one = zstdCompressSync(new Uint8Array(1));
    await expectDamage(withForgedBlock({ plainBytes: 0 }, one), /has 1 bytes/);
    await expectDamage(withForgedBlock({ plainBytes: 1000 }, Buffer.from('not zstd')), /does not decompress/);
  });

  it('has no other kinds of section, and does not compress those that are plain', async () => {
    const unknown = { kind: 4 } as unknown as SectionHead;
    await expectDamage(withForgedBlock(unknown, new Uint8Array(10)), /no section of kind 4/);
    await expectDamage(withForgedBlock({ kind: sectionKind.footer }, new Uint8Array(10)), /never compressed/);
    const noFooter = withForgedBlock(
      { kind: sectionKind.footer, plainBytes: 10 },
      new Uint8Array(10).fill(255),
    );
    await expectDamage(noFooter, /footer is not readable/);
  });
});
