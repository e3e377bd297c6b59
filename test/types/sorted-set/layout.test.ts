/** What lies at which key: the format of sorted sets, byte by byte. */
import { describe, expect, it } from 'vitest';
import { SortedSetEdit } from '../../../src/types/sorted-set/sorted-set-edit.ts';
import { scoreBytes, writeSortable } from '../../../src/types/sorted-set/score.ts';
import { ALL, bytesOf, SeamHarness } from '../../store/seam/seam-harness.ts';

const KEY = bytesOf('set');

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** All keys of the store, those of collections that are swept left out. */
function dump(harness: SeamHarness): string[] {
  const lines: string[] = [];
  harness.store.decide((view) => {
    view.scan(ALL, false, ({ key, value, kind, collectionId }) => {
      if (key[0] !== 0xfb) lines.push(`${hex(key)} = ${hex(value)} kind ${kind} of ${collectionId}`);
      return true;
    });
  });
  return lines;
}

describe('the layout of a sorted set', () => {
  it('is one row in the order of scores while it is short', async () => {
    const harness = await SeamHarness.open();
    await harness.decide((view) => {
      const edit = new SortedSetEdit(view, KEY);
      edit.set(bytesOf('b'), 1);
      edit.set(bytesOf('cc'), -1);
      edit.set(bytesOf('a'), 1);
      edit.finish();
    });
    expect(dump(harness)).toEqual([
      '736574 = 00026363' +
        '08bff0000000000000' +
        '016108' +
        '3ff0000000000000' +
        '0162083ff0000000000000' +
        ' kind 4 of 0',
    ]);
  });

  it('is two keys for each member once it is spread', async () => {
    const harness = await SeamHarness.open();
    await harness.decide((view) => {
      const edit = new SortedSetEdit(view, KEY);
      edit.set(bytesOf('x'.repeat(600)), 1);
      edit.remove(bytesOf('x'.repeat(600)));
      edit.set(bytesOf('b'), 1);
      edit.set(bytesOf('cc'), -1);
      edit.set(bytesOf('a'), -0);
      edit.finish();
    });
    const id = 'fa0000000000000001';
    expect(dump(harness)).toEqual([
      '736574 = 0103 kind 4 of 1',
      `${id}6d61 = 8000000000000000 kind 0 of 0`,
      `${id}6d62 = 3ff0000000000000 kind 0 of 0`,
      `${id}6d6363 = bff0000000000000 kind 0 of 0`,
      `${id}73400fffffffffffff6363 =  kind 0 of 0`,
      `${id}73800000000000000061 = 2d kind 0 of 0`,
      `${id}73bff000000000000062 =  kind 0 of 0`,
    ]);
  });

  it('is spread from 65 members on, and from 513 bytes on', async () => {
    const harness = await SeamHarness.open();
    const fill = (key: Uint8Array, members: readonly string[]): Promise<number> =>
      harness.decide((view) => {
        const edit = new SortedSetEdit(view, key);
        for (const member of members) edit.set(bytesOf(member), 1);
        edit.finish();
        return view.read(key)?.value[0] ?? -1;
      });
    // At 8 bytes an element of one character takes 11: 46 of them are 507 bytes.
    const letters = Array.from({ length: 46 }, (_, index) => String.fromCharCode(65 + index));
    expect(await fill(bytesOf('short'), letters)).toBe(0);
    expect(await fill(bytesOf('long'), [...letters, 'x'])).toBe(1);
  });

  it('has scores whose bytes sort as they do', () => {
    const scores = [-Infinity, -1e300, -2, -1.5, -1, -5e-324, 0, 5e-324, 1, 1.5, 2, 1e300, Infinity];
    const sortable = scores.map((score) => {
      const bytes = new Uint8Array(8);
      writeSortable(bytes, 0, score);
      return hex(bytes);
    });
    expect(sortable.toSorted()).toEqual(sortable);
    expect([sortable[0], sortable[4], sortable[6], sortable[8], sortable[12]]).toEqual([
      '000fffffffffffff',
      '400fffffffffffff',
      '8000000000000000',
      'bff0000000000000',
      'fff0000000000000',
    ]);
    expect(hex(scoreBytes(-0))).toBe('8000000000000000');
  });
});
