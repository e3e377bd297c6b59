import { beforeAll, describe, expect, it } from 'vitest';
import { isStoreError } from '../../../src/errors.ts';
import { deletionOf, type Change } from '../../../src/engine/version.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { flush, textOf, type Step } from './base-model.ts';
import { DIRECTORY, openSmall } from './small-base.ts';

const files = new Map<string, Uint8Array>();
let whole: string;

function put(key: string, revision: number, valueBytes: number): Change {
  const change = { ...deletionOf(Buffer.from(key), revision), deleted: false, leaseId: 3, expireTimeMs: 9 };
  const value = new Uint8Array(valueBytes).fill(65);
  return { ...change, value, createRevision: revision, modRevision: revision, version: 1 };
}

const steps: readonly Step[] = [
  {
    revision: 1,
    changes: [put('a', 1, 10), put('b', 1, 2000), put('c', 1, 0), put('d', 1, 3)],
    forgotten: [],
  },
  { revision: 2, changes: [put('a', 2, 20), deletionOf(Buffer.from('c'), 2)], forgotten: [] },
  {
    revision: 3,
    changes: [put('e', 3, 30)],
    forgotten: [{ start: Buffer.from('d'), end: Buffer.from('e') }],
  },
];

beforeAll(async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  const base = await openSmall(disk);
  for (const step of steps) await flush(base, step);
  whole = textOf(base);
  expect(base.figures().runs.length).toBe(3);
  await base.close();
  for (const name of await disk.list(DIRECTORY)) files.set(name, disk.contentOf(`${DIRECTORY}/${name}`));
});

/** Opens the files, of which one is another, reads and merges. @returns what was read; `undefined`: damage was found. */
async function read(name: string, content: Uint8Array | undefined): Promise<string | undefined> {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory(DIRECTORY);
  for (const [other, bytes] of files) {
    const bytesOfFile = other === name ? content : bytes;
    if (bytesOfFile !== undefined) disk.setContent(`${DIRECTORY}/${other}`, bytesOfFile);
  }
  try {
    const base = await openSmall(disk);
    try {
      const before = textOf(base);
      expect(before).toBe(whole);
      await base.compactStorage();
      return textOf(base);
    } finally {
      await base.close();
    }
  } catch (error) {
    if (!isStoreError(error, 'damaged')) throw error;
    expect(error.message).toContain(`${DIRECTORY}/`);
    return undefined;
  }
}

describe('damage of a base', () => {
  it('of any byte of any file is found, or does no harm', async () => {
    let found = 0;
    let byteCount = 0;
    for (const [name, bytes] of files) {
      for (let at = 0; at < bytes.length; at++) {
        const damaged = bytes.slice();
        damaged[at] = damaged[at]! ^ (1 << (at & 7));
        const shown = await read(name, damaged);
        expect(shown ?? whole, `${name}, byte ${at}`).toBe(whole);
        if (shown === undefined) found++;
        byteCount++;
      }
    }
    // What is not read, as the values of records that are dead, may be damaged.
    expect(found / byteCount).toBeGreaterThan(0.8);
  });

  it('by a file that is shorter, longer or missing is found', async () => {
    for (const [name, bytes] of files) {
      expect(await read(name, undefined), `${name} is missing`).toBeUndefined();
      expect(await read(name, bytes.subarray(0, bytes.length - 1)), `${name} is shorter`).toBeUndefined();
      expect(await read(name, Buffer.concat([bytes, Buffer.from('{')])), `${name} is longer`).toBeUndefined();
    }
  });

  it('by a run in the place of another is found', async () => {
    const runs = [...files].filter(([name]) => name.endsWith('.run'));
    for (const [name] of runs) {
      for (const [other, bytes] of runs) {
        if (other !== name) expect(await read(name, bytes)).toBeUndefined();
      }
    }
  });
});
