import { describe, expect, it } from 'vitest';
import { serverFixed } from '../../../../src/limits.ts';
import { CursorRing } from '../../../../src/server/redis/cursors/cursor-ring.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const textOf = (found: Uint8Array | undefined): string | undefined =>
  found && Buffer.from(found).toString('latin1');

const scope = bytes('hash');

describe('the ring of cursors', () => {
  it('finds a place as often as it is asked for, and in its own scan alone', () => {
    const ring = new CursorRing(0.5);
    const position = Buffer.from('field');
    const cursor = ring.keep(scope, position);
    position.fill(0);
    expect(cursor).toBeGreaterThan(0);
    expect(textOf(ring.find(scope, cursor))).toBe('field');
    expect(textOf(ring.find(scope, cursor))).toBe('field');
    expect(ring.find(bytes('other'), cursor)).toBeUndefined();
  });

  it('knows no place of the beginning, of a number that it did not give, or of one that an earlier process gave', () => {
    const ring = new CursorRing(0);
    const cursor = ring.keep(scope, bytes('a'));
    for (const unknown of [0, cursor - 1, cursor + 1, 2 ** 53, 2 ** 64])
      expect(ring.find(scope, unknown)).toBeUndefined();
    expect(new CursorRing(0.1).find(scope, cursor)).toBeUndefined();
  });

  it('gives numbers that are exact', () => {
    const ring = new CursorRing(1 - Number.EPSILON);
    expect(Number.isSafeInteger(ring.keep(scope, bytes('a')) + 2 ** 50)).toBe(true);
  });

  it('forgets the oldest place when there are too many', () => {
    const ring = new CursorRing(0.25);
    const first = ring.keep(scope, bytes('first'));
    const second = ring.keep(scope, bytes('second'));
    for (let count = 2; count < serverFixed.scanCursorsMax; count++) ring.keep(scope, bytes('x'));
    expect(textOf(ring.find(scope, first))).toBe('first');
    const last = ring.keep(scope, bytes('last'));
    expect(ring.find(scope, first)).toBeUndefined();
    expect(textOf(ring.find(scope, second))).toBe('second');
    expect(textOf(ring.find(scope, last))).toBe('last');
  });

  it('forgets the oldest places when their keys take too much memory', () => {
    const ring = new CursorRing(0.25);
    const long = new Uint8Array(4096);
    const count = serverFixed.scanCursorBytesMax / (scope.length + long.length);
    const cursors = Array.from({ length: Math.floor(count) + 10 }, () => ring.keep(scope, long));
    const known = cursors.filter((cursor) => ring.find(scope, cursor) !== undefined);
    expect(known).toEqual(cursors.slice(10));
  });
});
