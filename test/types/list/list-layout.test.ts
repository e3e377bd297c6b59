/** Where the elements of a list lie, byte by byte, and how much work it is to find and change them. */
import { describe, expect, it } from 'vitest';
import type { View } from '../../../src/store/views/view.ts';
import { insertBeside, setElement } from '../../../src/types/list/change.ts';
import { List } from '../../../src/types/list/list.ts';
import { move } from '../../../src/types/list/move.ts';
import { pop } from '../../../src/types/list/pop.ts';
import { push } from '../../../src/types/list/push.ts';
import { elementAt, visitElements } from '../../../src/types/list/read.ts';
import { removeEqual } from '../../../src/types/list/remove.ts';
import { trim } from '../../../src/types/list/trim.ts';
import { bytesOf, SeamHarness, textOf } from '../../store/seam/seam-harness.ts';
import { chunksOf, expectList } from './list-model.ts';
import { readVisitsOfEngine } from '../../support/test-engine.ts';

const KEY = bytesOf('k');
const COUNT = 100_000;
const READ = readVisitsOfEngine();

/** Everything below the users' keys and the elements, as text. */
function dump(view: View): string[] {
  const rows: string[] = [];
  view.scan({ start: new Uint8Array(0), end: undefined }, false, (shown) => {
    const key = Buffer.from(shown.key);
    const value = Buffer.from(shown.value);
    rows.push(
      `${key[0] === 0xfa ? key.toString('hex') : key.toString()} ${shown.kind} ${value.toString('hex')}`,
    );
    return true;
  });
  return rows;
}

describe('the layout of a list', () => {
  it('is one row while it is short', async () => {
    const { store } = await SeamHarness.open();
    store.decide((view) => {
      push(view, KEY, 'tail', ['b', '', 'cc'].map(bytesOf));
      push(view, KEY, 'head', ['x', 'a'].map(bytesOf));
      expect(dump(view)).toEqual([['k 2 00', '0161', '0178', '0162', '00', '026363'].join('')]);
    });
  });

  it('is a head row, chunks and a tail row when it is long', async () => {
    const { store } = await SeamHarness.open();
    store.decide((view) => {
      const element = (text: string): Uint8Array => bytesOf(text.repeat(127));
      push(view, KEY, 'tail', ['a', 'b', 'c', 'd', 'e'].map(element));
      push(view, KEY, 'head', [bytesOf('h')]);
      const row = (...texts: string[]): string => texts.map((text) => `7f${text.repeat(127)}`).join('');
      expect(dump(view)).toEqual([
        ['k 2 0106000fffffffffffff0102', '0168', '01', row('65')].join(''),
        `fa${'0'.repeat(15)}1630010000000000000 0 ${row('61', '62')}`,
        `fa${'0'.repeat(15)}1630010000000000002 0 ${row('63', '64')}`,
      ]);
      // A long element has a chunk of its own, and is never in the metadata.
      push(view, KEY, 'tail', [bytesOf('L'.repeat(300))]);
      expect(chunksOf(view, 1)).toEqual([
        { ordinal: 2 ** 52, bytes: 256, count: 2 },
        { ordinal: 2 ** 52 + 2, bytes: 256, count: 2 },
        { ordinal: 2 ** 52 + 4, bytes: 128, count: 1 },
        { ordinal: 2 ** 52 + 5, bytes: 302, count: 1 },
      ]);
      expect(view.read(KEY)?.value).toHaveLength(2 + 8 + 2 + 2 + 1);
    });
  });

  it('keeps the lifetime of its key, and the list itself when its one element is rotated', async () => {
    const { store } = await SeamHarness.open();
    store.decide((view) => {
      for (const long of ['x', 'L'.repeat(600)]) {
        view.delete(KEY);
        push(view, KEY, 'tail', [bytesOf(long)]);
        view.touch(KEY, 5000);
        expect(textOf(move(view, KEY, 'tail', KEY, 'head')?.element ?? bytesOf(''))).toBe(long);
        expectList(view, KEY, [long]);
        expect(view.readMeta(KEY)?.ttlMs).toBe(5000);
      }
    });
  });
});

describe('the chunks of a list in whose middle elements come and go', () => {
  const insert = (view: View, pivot: string, element: string): void => {
    expect(insertBeside(view, KEY, 'before', bytesOf(pivot), bytesOf(element))).toBeGreaterThan(0);
  };
  const ordinalsOf = (view: View): number[] =>
    chunksOf(view, List.read(view, KEY)?.id ?? 0).map(({ ordinal }) => ordinal);

  it('keep their keys, but for the one at the nearer end', async () => {
    const { store } = await SeamHarness.open();
    const model = Array.from({ length: 2000 }, (_, index) => `element ${index}`);
    store.decide((view) => void push(view, KEY, 'tail', model.map(bytesOf)));
    for (const [at, isNearHead] of [
      [1500, false],
      [500, true],
    ] as const) {
      store.decide((view) => {
        const before = ordinalsOf(view);
        insert(view, model[at] ?? '', 'new');
        const inserted = ordinalsOf(view);
        // At the tail what is over may have a chunk of its own; at the head it is before the first, whose key is one less.
        if (isNearHead) expect(inserted.slice(-before.length + 1)).toEqual(before.slice(1));
        else expect(inserted.slice(0, before.length)).toEqual(before);
        expectList(view, KEY, model.toSpliced(at, 0, 'new'));
        removeEqual(view, KEY, 1, bytesOf('new'));
        expect(ordinalsOf(view).filter((ordinal) => !before.includes(ordinal)).length).toBeLessThan(2);
        expectList(view, KEY, model);
      });
    }
  });

  it('do not come to be one for each element where short and long ones move along', async () => {
    const { store } = await SeamHarness.open();
    const model = Array.from({ length: 1500 }, (_, index) =>
      index % 15 === 0 ? `${index} `.padEnd(240, 'L') : `${index}`,
    );
    store.decide((view) => void push(view, KEY, 'tail', model.map(bytesOf)));
    let before = 0;
    store.decide((view) => void (before = ordinalsOf(view).length));
    for (let round = 0; round < 400; round++) {
      const at = round % 2 === 0 ? 700 : 800;
      store.decide((view) => {
        insert(view, model[at] ?? '', `new ${round}`);
        if (round % 3 !== 0) removeEqual(view, KEY, 1, bytesOf(`new ${round}`));
        else model.splice(at, 0, `new ${round}`);
      });
    }
    store.decide((view) => {
      expectList(view, KEY, model);
      expect(ordinalsOf(view).length).toBeLessThan(2.5 * before);
    });
  });
});

describe('the work of a list of 100,000 elements', () => {
  /** The visits of one piece of work. */
  function visitsOf(view: View, run: () => void): number {
    view.budget.begin();
    run();
    return view.budget.visitsSpent;
  }

  async function filled(): Promise<SeamHarness> {
    const harness = await SeamHarness.open();
    for (let first = 0; first < COUNT; first += 10_000) {
      const elements = Array.from({ length: 10_000 }, (_, index) => bytesOf(`element ${first + index}`));
      harness.store.decide((view) => push(view, KEY, 'tail', elements));
      await harness.durable();
    }
    return harness;
  }

  it('does not grow with it at the ends, by an index, or where elements are replaced', async () => {
    const { store } = await filled();
    store.decide((view) => {
      expect(visitsOf(view, () => push(view, KEY, 'tail', [bytesOf('x')]))).toBeLessThan(10 + READ);
      expect(visitsOf(view, () => push(view, KEY, 'head', [bytesOf('x')]))).toBeLessThan(10 + READ);
      expect(visitsOf(view, () => pop(view, KEY, 'head', 2))).toBeLessThan(12 + READ);
      expect(visitsOf(view, () => pop(view, KEY, 'tail', 2))).toBeLessThan(12 + READ);
      expect(visitsOf(view, () => elementAt(view, KEY, 50_000))).toBeLessThan(10 + READ);
      expect(visitsOf(view, () => setElement(view, KEY, 50_000, bytesOf('y')))).toBeLessThan(12 + READ);
      const list = List.read(view, KEY);
      if (list === undefined) throw new Error('the list is gone');
      const middle = visitsOf(view, () => {
        expect(visitElements(view, list, 70_000, 70_100, () => true)).toBe(70_100);
      });
      expect(middle).toBeLessThan(100 + READ);
    });
  });

  it('is that of the shorter side in the middle, and of the shorter part when it is trimmed', async () => {
    const { store } = await filled();
    store.decide((view) => {
      const nearTail = visitsOf(view, () => {
        expect(removeEqual(view, KEY, -1, bytesOf('element 99900'))).toEqual({
          removedCount: 1,
          count: COUNT - 1,
        });
      });
      expect(nearTail).toBeLessThan(200 + READ);
      const nearHead = visitsOf(view, () => {
        expect(insertBeside(view, KEY, 'before', bytesOf('element 100'), bytesOf('new'))).toBe(COUNT);
      });
      expect(nearHead).toBeLessThan(200 + READ);
      const fewLeft = visitsOf(view, () => expect(trim(view, KEY, 50_000, 50_099)).toBe(100));
      expect(fewLeft).toBeLessThan(60 + READ);
      expect(visitsOf(view, () => expect(trim(view, KEY, 1, 0)).toBe(0))).toBeLessThan(5 + READ);
    });
  });

  it('refuses what takes more than a transaction may, and has changed nothing then', async () => {
    const { store } = await filled();
    store.decide((view) => {
      view.budget.begin(2000);
      const failing = (): unknown =>
        insertBeside(view, KEY, 'behind', bytesOf('element 50000'), bytesOf('x'));
      expect(failing).toThrow(expect.objectContaining({ code: 'limitReached' }));
      view.budget.begin();
      expect(List.read(view, KEY)?.count).toBe(COUNT);
    });
  });
});

describe('a queue', () => {
  it('pops after 200,000 elements as at the start', async () => {
    const { store } = await SeamHarness.open({ fsync: 'never' });
    const elements = Array.from({ length: 1000 }, (_, index) => bytesOf(`element ${index}`));
    let visitsMax = 0;
    for (let round = 0; round < 200; round++) {
      store.decide((view) => push(view, KEY, 'tail', elements));
      store.decide((view) => {
        view.budget.begin();
        const popped = pop(view, KEY, 'head', round === 199 ? 10 : 999);
        expect(popped?.elements).toHaveLength(round === 199 ? 10 : 999);
        visitsMax = Math.max(visitsMax, view.budget.visitsSpent);
      });
      if (round % 50 === 0) await store.whenDurable(undefined, false);
    }
    expect(visitsMax).toBeLessThan(600);
    store.decide((view) => {
      view.budget.begin();
      pop(view, KEY, 'head', 1);
      expect(view.budget.visitsSpent).toBeLessThan(5);
    });
  });
});
