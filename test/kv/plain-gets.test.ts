/** Gets without options that come in one turn are read as a row. */
import { describe, expect, it } from 'vitest';
import type { GetResult } from '../../src/api.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';
import { fixed } from '../../src/limits.ts';
import { refused } from '../store/model/readable.ts';
import { SeamHarness } from '../store/seam/seam-harness.ts';
import { MemoryHarness } from '../store/model/store-harness.ts';

/** A store that tells how many keys its engine has shown as a row, each time. */
async function openCounting(): Promise<MemoryHarness & { readonly rows: number[] }> {
  const rows: number[] = [];
  const harness = await MemoryHarness.open({
    makeEngine: () => {
      const engine = new MemoryEngine({ hashSeed: [1, 2] });
      const readAll = engine.readAll.bind(engine);
      engine.readAll = (keys, count, revision, visit) => {
        let shown = 0;
        readAll(keys, count, revision, (version) => (shown++, visit(version)));
        rows.push(shown);
      };
      return engine;
    },
  });
  return Object.assign(harness, { rows });
}

const textOf = ({ entry }: GetResult) => entry && Buffer.from(entry.value).toString();

describe('plain gets of one turn', () => {
  it('are read together, but for the first, and each gets its own', async () => {
    const { store, rows } = await openCounting();
    await Promise.all(Array.from({ length: 90 }, (_, index) => store.put(`k${index}`, `${index}`)));
    const names = Array.from({ length: 100 }, (_, index) => `k${(index * 7) % 100}`);
    const read = await Promise.all(names.map((name) => store.get(name)));
    expect(rows).toEqual([99]);
    expect(read.map(textOf)).toEqual(
      names.map((name) => (Number(name.slice(1)) < 90 ? name.slice(1) : undefined)),
    );
    expect(read.map(({ entry }) => entry?.key ?? '')).toEqual(
      names.map((name) => (Number(name.slice(1)) < 90 ? name : '')),
    );
    expect(new Set(read.map(({ revision }) => revision))).toEqual(new Set([90]));
  });

  it('get their own result whatever stands between them', async () => {
    const { store } = await MemoryHarness.open();
    const bytes = Uint8Array.of(0xff, 1);
    await Promise.all([store.put('a', 'A'), store.put('\u00e4', 'umlaut'), store.put(bytes, 'bytes')]);
    await store.put('a', 'newer');
    const [first, old, umlaut, , asBytes, last, absent] = await Promise.all([
      store.get('a'),
      store.get('a', { revision: 3 }),
      store.get('\u00e4'),
      store.put('a', 'not visible yet'),
      store.get(bytes),
      store.get('a', {}),
      store.get('none'),
      store.get('a'),
    ]);
    expect([first, old, umlaut, asBytes, last, absent].map(textOf)).toEqual([
      'newer',
      'A',
      'umlaut',
      'bytes',
      'newer',
      undefined,
    ]);
  });

  it('stay as they are, and no caller is handed what another one has', async () => {
    const { store } = await MemoryHarness.open();
    await store.put('k', 'value');
    const read = await Promise.all(['k', 'k', 'k'].map((key) => store.get(key)));
    for (const { entry } of read.slice(1)) entry?.value.fill(0);
    expect(textOf(read[0]!)).toBe('value');
    expect(textOf(await store.get('k'))).toBe('value');
  });

  it('are none when what they hand out is looked at first', async () => {
    const { calls } = await SeamHarness.open();
    await calls.put('k', 'value');
    const admitted: unknown[] = [];
    const read = await Promise.all([
      calls.get('k'),
      calls.get('k'),
      calls.get('k', { admit: (entry) => admitted.push(entry?.key) }),
    ]);
    expect(read.map(textOf)).toEqual(['value', 'value', 'value']);
    expect(admitted).toEqual(['k']);
  });

  it('do not show what is overdue', async () => {
    const { calls, clock } = await SeamHarness.open();
    await calls.put('short', '', { ttlMs: 1000 });
    await calls.put('long', '', { ttlMs: 60_000 });
    clock.dropTimers();
    clock.jump(2000);
    const read = await Promise.all(['short', 'short', 'long', 'short'].map((key) => calls.get(key)));
    expect(read.map(({ entry }) => entry?.key)).toEqual([undefined, undefined, 'long', undefined]);
  });

  it('are rows of so many bytes, each get in one of them', async () => {
    const { store, rows } = await openCounting();
    await store.put('long', new Uint8Array(fixed.getRowBytesMax / 2));
    const read = await Promise.all(Array.from({ length: 9 }, () => store.get('long')));
    expect(read.map(({ entry }) => entry?.value.length)).toEqual(read.map(() => fixed.getRowBytesMax / 2));
    expect(rows).toEqual([2, 2, 2, 2]);
  });

  it('are refused once the store is closed, each for itself', async () => {
    const { store } = await MemoryHarness.open();
    await store.put('k', 'value');
    const before = ['k', 'k', 'none'].map((key) => store.get(key));
    const closing = store.close();
    const behind = ['k', 'k', '\u00e4', 'k'].map((key) => store.get(key));
    expect((await Promise.all(before)).map(textOf)).toEqual(['value', 'value', undefined]);
    for (const get of behind) await refused(get, 'closed');
    await closing;
  });
});
