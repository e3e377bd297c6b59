/** Rows that a database gives in another order than that of their keys are damage: SQLite promises none for what is put together. */
import { expect, test } from 'vitest';
import { HEAD_BYTES_MAX, writeRow } from '../../../src/engine/btree/rows/row-head.ts';
import { RowCursor } from '../../../src/engine/btree/rows/row-cursor.ts';
import type { Piece, RowSource } from '../../../src/engine/btree/rows/row-source.ts';
import { RangeSet } from '../../../src/engine/range-set.ts';
import { PlacedChange, placeChange } from '../../../src/engine/version.ts';
import { memoryOf, wholeBuffer } from '../../../src/wire/memory.ts';
import { put } from '../contract/changes.ts';

const ALL = { start: new Uint8Array(0), end: undefined };

test.each([
  { keys: ['a', 'c', 'b'], reverse: false, readable: 2 },
  { keys: ['a', 'b', 'b'], reverse: false, readable: 2 },
  { keys: ['ab', 'a'], reverse: false, readable: 1 },
  { keys: ['c', 'a', 'b'], reverse: true, readable: 2 },
  { keys: ['a', 'ab'], reverse: true, readable: 1 },
])('of $keys, in reverse: $reverse, $readable are shown', ({ keys, reverse, readable }) => {
  const rows = new RowCursor(sourceOf(keys), new RangeSet(), ALL, {
    reverse,
    withValues: true,
    onPiece: () => undefined,
  });
  const placed = new PlacedChange();
  for (let count = 0; count < readable; count++) expect(rows.next(placed)).toBe(true);
  expect(() => rows.next(placed)).toThrow(/the key .* is out of order/);
});

/** It gives one piece, of rows with short values. */
function sourceOf(keys: readonly string[]): RowSource {
  const target = wholeBuffer(keys.length * (HEAD_BYTES_MAX + 16));
  let end = 0;
  for (const key of keys) {
    const keyStart = writeRow(target, end, placeChange(put(key, 1, 'v')));
    end = keyStart + key.length + 1;
  }
  const piece: Piece = { memory: memoryOf(target.buffer), start: 0, end };
  return { path: 'test', dataVersion: 1, piece: () => piece } as unknown as RowSource;
}
