import { array, assert, boolean, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamTable } from '../../../src/http2/streams/stream-table.ts';

describe('the table of streams', () => {
  test('finds what a Map finds, whatever is added and deleted, in any order', () => {
    // Few ids, so that many share a slot.
    const steps = array(record({ id: integer({ min: 0, max: 80 }), isAdd: boolean() }), {
      maxLength: 300,
    });
    assert(
      property(steps, constantFrom(1, 8, 16), (sequence, stride) => {
        const table = new StreamTable<{ readonly id: number }>();
        const model = new Map<number, { readonly id: number }>();
        for (const { id: index, isAdd } of sequence) {
          const id = 2 * index * stride + 1;
          if (!isAdd) {
            table.delete(id);
            model.delete(id);
          } else if (!model.has(id)) {
            const stream = { id };
            table.add(stream);
            model.set(id, stream);
          }
          expect(table.size).toBe(model.size);
        }
        for (let index = 0; index <= 80; index++) {
          const id = 2 * index * stride + 1;
          expect(table.get(id)).toBe(model.get(id));
        }
        expect(new Set(table.all())).toEqual(new Set(model.values()));
      }),
    );
  });

  test('goes through those of now, while they are deleted', () => {
    const table = new StreamTable<{ readonly id: number }>();
    for (let id = 1; id < 2000; id += 2) table.add({ id });
    for (const { id } of table.all()) table.delete(id);
    expect(table.size).toBe(0);
    expect(table.all()).toEqual([]);
  });
});
