import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../support/random.ts';
import { shuffled } from '../support/schedule.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { expectDiskError, testDiskContract } from './disk-contract.ts';

testDiskContract('the simulated disk', async () => {
  const disk = new SimulatedDisk({ seed: 1 });
  await disk.makeDirectory('/data');
  return { disk, directory: '/data', removeAll: () => Promise.resolve() };
});

testDiskContract('the simulated disk with calls in any order', async () => {
  const disk = new SimulatedDisk({ seed: 1, schedule: shuffled(new SeededRandom(2)) });
  await disk.makeDirectory('/data');
  return { disk, directory: '/data', removeAll: () => Promise.resolve() };
});

const SEEDS = Array.from({ length: 300 }, (_, index) => index);

async function newDisk(seed: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk({ seed });
  await disk.makeDirectory('/data');
  return disk;
}

/** A disk with one durable file of these bytes. */
async function diskWith(seed: number, bytes: Uint8Array): Promise<SimulatedDisk> {
  const disk = await newDisk(seed);
  disk.setContent('/data/file', bytes);
  return disk;
}

/** What comes out for many seeds, as a set of short descriptions. */
async function outcomes(run: (seed: number) => Promise<string>): Promise<Set<string>> {
  return new Set(await Promise.all(SEEDS.map(run)));
}

describe('a loss of power', () => {
  it('takes nothing that was made durable', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        position: fc.nat(3000),
        length: fc.integer({ min: 1, max: 3000 }),
      }),
      fc.record({ kind: fc.constant('sync' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(step, { maxLength: 20 }), async (seed, steps) => {
        const disk = await newDisk(seed);
        const file = await disk.create('/data/file');
        await disk.syncDirectory('/data');
        let durable: Uint8Array = new Uint8Array();
        // At each position, what a write that is not durable may have put there.
        let possible = new Map<number, Set<number>>();
        for (const [index, { kind, ...rest }] of steps.entries()) {
          if (kind === 'sync') {
            await file.sync();
            durable = disk.contentOf('/data/file');
            possible = new Map();
          } else if ('position' in rest) {
            await file.write(new Uint8Array(rest.length).fill(index + 1), rest.position);
            for (let at = rest.position; at < rest.position + rest.length; at++) {
              possible.set(at, (possible.get(at) ?? new Set()).add(index + 1));
            }
          }
        }
        const found = disk.losePower().contentOf('/data/file');
        expect(found.length).toBeGreaterThanOrEqual(durable.length);
        for (const [at, byte] of found.entries()) {
          if (byte !== (durable[at] ?? 0) && possible.get(at)?.has(byte) !== true) {
            expect.fail(`byte ${at} is ${byte}, which nobody wrote there`);
          }
        }
      }),
    );
  });

  it('loses, keeps or tears a write, with its new length or without', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array(1000).fill(1));
      const file = await disk.open('/data/file', 'readWrite');
      await file.write(new Uint8Array(9000).fill(2), 500);
      const content = disk.losePower().contentOf('/data/file');
      expect(content.subarray(0, 500).every((byte) => byte === 1)).toBe(true);
      const overwritten = content.subarray(500, 1000);
      const appended = content.subarray(1000);
      const isNew = overwritten.every((byte) => byte === 2) && appended.every((byte) => byte === 2);
      if (overwritten.every((byte) => byte === 1) && appended.length === 0) return 'lost';
      if (isNew && appended.length === 8500) return 'kept';
      if (isNew && appended.length > 0) return 'torn at the end';
      if (overwritten.every((byte) => byte === 2) && appended.length === 0)
        return 'bytes without the new length';
      if (appended.length === 8500 && appended.every((byte) => byte === 0))
        return 'new length without the bytes';
      const lastZero = appended.lastIndexOf(0);
      return lastZero >= 0 && lastZero < appended.lastIndexOf(2)
        ? 'later sectors without earlier ones'
        : 'other';
    });
    expect([...found]).toEqual(
      expect.arrayContaining([
        'lost',
        'kept',
        'torn at the end',
        'bytes without the new length',
        'new length without the bytes',
        'later sectors without earlier ones',
      ]),
    );
  });

  it('tears within a sector as well as between sectors', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array());
      const file = await disk.open('/data/file', 'readWrite');
      await file.write(new Uint8Array(8192).fill(1), 0);
      const { length } = disk.losePower().contentOf('/data/file');
      if (length % 4096 === 0) return 'between pages';
      return length % 512 === 0 ? 'between sectors' : 'within a sector';
    });
    expect([...found].sort()).toEqual(['between pages', 'between sectors', 'within a sector']);
  });

  it('keeps and loses writes out of their order, in one file and over two', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array(2));
      disk.setContent('/data/other', new Uint8Array(1));
      const file = await disk.open('/data/file', 'readWrite');
      const other = await disk.open('/data/other', 'readWrite');
      await file.write(new Uint8Array([1]), 0);
      await file.write(new Uint8Array([1]), 1);
      await other.write(new Uint8Array([1]), 0);
      const after = disk.losePower();
      return [...after.contentOf('/data/file'), ...after.contentOf('/data/other')].join('');
    });
    expect([...found].sort()).toEqual(['000', '001', '010', '011', '100', '101', '110', '111']);
  });

  it('loses or keeps names until their folder is flushed', async () => {
    const flushed = new Set<string>();
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array());
      disk.setContent('/data/removed', new Uint8Array());
      await disk.create('/data/created');
      await disk.rename('/data/file', '/data/renamed');
      await disk.remove('/data/removed');
      if (seed % 2 === 0) await disk.syncDirectory('/data');
      const names = (await disk.losePower().list('/data')).sort().join(' ');
      if (seed % 2 === 0) flushed.add(names);
      return names;
    });
    expect([...flushed]).toEqual(['created renamed']);
    expect(found.size).toBe(8);
    for (const names of found)
      expect(names).toMatch(/^(created )?(file|renamed|removed renamed|file removed)$/);
  });

  it('may leave the old file, the new one, but never none when a file is renamed over another', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, Buffer.from('old'));
      const file = await disk.create('/data/new');
      await file.write(Buffer.from('new'), 0);
      await file.sync();
      await disk.rename('/data/new', '/data/file');
      return Buffer.from(disk.losePower().contentOf('/data/file')).toString();
    });
    expect([...found].sort()).toEqual(['new', 'old']);
  });

  it('may find a write that has not ended', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array(1));
      const file = await disk.open('/data/file', 'readWrite');
      const outcome = expectDiskError(file.write(new Uint8Array([1]), 0), 'failed');
      const after = disk.losePower();
      await outcome;
      return after.contentOf('/data/file').join('');
    });
    expect([...found].sort()).toEqual(['0', '1']);
  });

  it('may take what was written while a flush was under way', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array(2));
      const file = await disk.open('/data/file', 'readWrite');
      await file.write(new Uint8Array([1]), 0);
      await Promise.all([file.sync(), file.write(new Uint8Array([1]), 1)]);
      return disk.losePower().contentOf('/data/file').join('');
    });
    expect([...found].sort()).toEqual(['10', '11']);
  });
});

describe('the end of the process', () => {
  it('takes nothing that was written, and leaves it as undurable as it was', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await newDisk(seed);
      const file = await disk.create('/data/file');
      await file.write(new Uint8Array([1]), 0);
      const restarted = disk.endProcess();
      expect(restarted.contentOf('/data/file')).toEqual(new Uint8Array([1]));
      const after = restarted.losePower();
      return (await after.list('/data')).length === 0 ? 'no file' : after.contentOf('/data/file').join('');
    });
    expect([...found].sort()).toEqual(['', '0', '1', 'no file']);
  });

  it('may leave a write under way done up to any byte', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array());
      const file = await disk.open('/data/file', 'readWrite');
      const outcome = expectDiskError(file.write(new Uint8Array([1, 2]), 0), 'failed');
      const after = disk.endProcess();
      await outcome;
      return after.contentOf('/data/file').join('');
    });
    expect([...found].sort()).toEqual(['', '1', '12']);
  });

  it('gives locks back, and keeps the dead process from the disk of the next', async () => {
    for (const end of ['losePower', 'endProcess'] as const) {
      const disk = await newDisk(1);
      const file = await disk.create('/data/file');
      await disk.syncDirectory('/data');
      await disk.lock('/data/lock');
      const after = disk[end]();
      await expectDiskError(file.write(new Uint8Array(1), 0), 'failed');
      await expectDiskError(disk.remove('/data/file'), 'failed');
      expect(await after.list('/data')).toContain('file');
      expect(after.contentOf('/data/file').length).toBe(0);
      await after.lock('/data/lock');
      await expectDiskError(after.lock('/data/lock'), 'locked');
    }
  });
});

describe('an injected fault', () => {
  it('strikes the call it is meant for', async () => {
    const disk = await newDisk(1);
    const file = await disk.create('/data/file');
    const other = await disk.create('/data/other');
    disk.injectFault({ call: 'write', at: 2, pathEnd: 'file', code: 'noSpace' });
    await file.write(new Uint8Array(1), 0);
    await other.write(new Uint8Array(1), 0);
    await other.write(new Uint8Array(1), 0);
    await expectDiskError(file.write(new Uint8Array(1), 0), 'noSpace');
    await file.write(new Uint8Array(1), 0);
  });

  it('lasts when it is permanent, until it is cleared', async () => {
    const disk = await newDisk(1);
    disk.injectFault({ call: 'list', isPermanent: true });
    await expectDiskError(disk.list('/data'), 'failed');
    await expectDiskError(disk.list('/data'), 'failed');
    disk.clearFaults();
    await disk.list('/data');
  });

  it('leaves a failed write done up to any byte', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array());
      const file = await disk.open('/data/file', 'readWrite');
      disk.injectFault({ call: 'write' });
      await expectDiskError(file.write(new Uint8Array([1, 2]), 0), 'failed');
      return disk.contentOf('/data/file').join('');
    });
    expect([...found].sort()).toEqual(['', '1', '12']);
  });

  it('makes a failed flush drop what a later one then does not make durable', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array(1));
      const file = await disk.open('/data/file', 'readWrite');
      await file.write(new Uint8Array([1]), 0);
      disk.injectFault({ call: 'sync' });
      await expectDiskError(file.sync(), 'failed');
      await file.sync();
      expect(disk.contentOf('/data/file')).toEqual(new Uint8Array([1]));
      return disk.losePower().contentOf('/data/file').join('');
    });
    expect([...found].sort()).toEqual(['0', '1']);
  });

  it('leaves it open whether a failed change of names has happened', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array());
      disk.injectFault({ call: 'rename' });
      await expectDiskError(disk.rename('/data/file', '/data/renamed'), 'failed');
      return (await disk.list('/data')).join(' ');
    });
    expect([...found].sort()).toEqual(['file', 'renamed']);
  });
});

describe('a write at once', () => {
  it('is seen by readers, and may be lost or torn by a loss of power before its flush', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array(2));
      const file = await disk.open('/data/file', 'readWrite');
      file.writeNow(new Uint8Array([1, 2]), 0);
      expect(disk.contentOf('/data/file')).toEqual(new Uint8Array([1, 2]));
      return disk.losePower().contentOf('/data/file').join('');
    });
    expect([...found].sort()).toEqual(['00', '10', '12']);
  });

  it('outlasts the end of the process, and with a flush the loss of power', async () => {
    for (const seed of SEEDS.slice(0, 50)) {
      const disk = await diskWith(seed, new Uint8Array());
      const file = await disk.open('/data/file', 'readWrite');
      file.writeNow(new Uint8Array([1]), 0);
      await file.sync();
      file.writeNow(new Uint8Array([2]), 1);
      const after = disk.endProcess();
      expect(() => file.writeNow(new Uint8Array([3]), 2)).toThrow(/dead process/);
      expect(after.contentOf('/data/file')).toEqual(new Uint8Array([1, 2]));
      expect(after.losePower().contentOf('/data/file')[0]).toBe(1);
    }
  });

  it('that a flush does not cover, since that began before, may be lost', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array(1));
      const file = await disk.open('/data/file', 'readWrite');
      const syncing = file.sync();
      file.writeNow(new Uint8Array([1]), 0);
      await syncing;
      return disk.losePower().contentOf('/data/file').join('');
    });
    expect([...found].sort()).toEqual(['0', '1']);
  });

  it('fails as any other write does', async () => {
    const found = await outcomes(async (seed) => {
      const disk = await diskWith(seed, new Uint8Array());
      const file = await disk.open('/data/file', 'readWrite');
      disk.injectFault({ call: 'write', code: 'noSpace' });
      expect(() => file.writeNow(new Uint8Array([1, 2]), 0)).toThrow(
        expect.objectContaining({ code: 'noSpace' }),
      );
      return disk.contentOf('/data/file').join('');
    });
    expect([...found].sort()).toEqual(['', '1', '12']);
  });
});

describe('a read at once', () => {
  it('fails as any other read does, and counts as one', async () => {
    const disk = await diskWith(1, new Uint8Array([1, 2]));
    const file = await disk.open('/data/file', 'read');
    const buffer = new Uint8Array(2);
    disk.injectFault({ call: 'read', at: 2 });
    expect(file.readNow(buffer, 0)).toBe(2);
    expect(() => file.readNow(buffer, 0)).toThrow(expect.objectContaining({ code: 'failed' }));
    expect(await file.read(buffer, 0)).toBe(2);
    expect(disk.nowWriteCount).toBe(0);
  });

  it('is refused to a dead process', async () => {
    const disk = await diskWith(1, new Uint8Array([1, 2]));
    const file = await disk.open('/data/file', 'read');
    const after = await disk.endProcess().open('/data/file', 'read');
    expect(() => file.readNow(new Uint8Array(2), 0)).toThrow(/dead process/);
    expect(after.readNow(new Uint8Array(2), 0)).toBe(2);
  });
});

describe('a full disk', () => {
  it('lets files grow as far as there is space, and writes within their length always', async () => {
    const disk = await diskWith(1, new Uint8Array(4));
    const file = await disk.open('/data/file', 'readWrite');
    disk.limitSpace(3);
    await file.write(Buffer.from('abcde'), 0);
    await expectDiskError(file.write(Buffer.from('12345'), 4), 'noSpace');
    expect(Buffer.from(disk.contentOf('/data/file')).toString()).toBe('abcd123');
    expect(() => file.writeNow(Buffer.from('x'), 7)).toThrow(expect.objectContaining({ code: 'noSpace' }));
    file.writeNow(Buffer.from('4567'), 3);
    disk.limitSpace(Infinity);
    await file.write(Buffer.from('8'), 7);
    expect(Buffer.from(disk.contentOf('/data/file')).toString()).toBe('abc45678');
  });
});

describe('a run', () => {
  async function run(seed: number): Promise<string> {
    let disk = new SimulatedDisk({ seed, schedule: shuffled(new SeededRandom(seed)) });
    const random = new SeededRandom(seed);
    for (let life = 0; life < 5; life++) {
      await disk.makeDirectory('/data');
      const file = await disk.create(`/data/${life}`);
      const writes = Array.from({ length: 10 }, (_, index) => file.write(random.bytes(500), index * 400));
      await Promise.race(writes);
      await disk.syncDirectory('/data');
      const outcomes = Promise.allSettled(writes);
      disk = random.chance(0.5) ? disk.losePower() : disk.endProcess();
      await outcomes;
    }
    const names = await disk.list('/data');
    return (
      disk.dump() + names.map((name) => Buffer.from(disk.contentOf(`/data/${name}`)).toString('hex')).join()
    );
  }

  it('is repeated by its seed, whatever the order of completions', async () => {
    expect(await run(7)).toBe(await run(7));
    expect(await run(7)).not.toBe(await run(8));
  });

  it('can be read afterwards', async () => {
    const disk = await newDisk(1);
    disk.injectFault({ call: 'sync', code: 'noSpace' });
    const file = await disk.create('/data/file');
    await file.write(Buffer.from('hello'), 3);
    await expectDiskError(file.sync(), 'noSpace');
    disk.losePower();
    const text = disk.dump();
    expect(text).toContain('write /data/file 3+5');
    expect(text).toContain('sync /data/file  fails: noSpace');
    expect(text).toContain('power lost');
    expect(text).toMatch(/file: 8 bytes, durable \d/);
  });

  it('catches a caller that changes a buffer under way', async () => {
    const disk = await newDisk(1);
    const file = await disk.create('/data/file');
    const buffer = Buffer.from('hello');
    const written = file.write(buffer, 0);
    buffer[0] = 0;
    await expect(written).rejects.toThrow(/buffer changed/);
  });
});
