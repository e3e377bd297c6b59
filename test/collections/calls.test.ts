/** The calls on collections behave alike through the client and in process: pages, old revisions, times to live, errors. */
import { describe, expect, test } from 'vitest';
import { type Face, faces } from './faces.ts';

const names = Array.from({ length: 2500 }, (_, place) => `name-${String(place).padStart(4, '0')}`);
const binary = Uint8Array.of(0xff, 0x00, 0xfe);

/** One of each type, with all names. */
async function fill(store: Face): Promise<number> {
  await store.hash.set(
    'h',
    names.map((name) => [name, 'v'] as const),
  );
  await store.set.add('s', names);
  await store.sortedSet.add(
    'z',
    names.map((name, place) => [name, place] as const),
  );
  return (await store.list.push('l', names)).revision;
}

describe.each(faces)('%s', (_, open) => {
  test('changes and reads hashes', async () => {
    const { hash } = await open();
    expect(await hash.set('h', { a: '1', b: '2' })).toEqual({ revision: 1, addedCount: 2, count: 2 });
    expect(
      await hash.set(
        'h',
        [
          ['a', '3'],
          ['c', '4'],
          ['c', '5'],
        ],
        { onlyIfAbsent: true },
      ),
    ).toEqual({
      revision: 2,
      addedCount: 1,
      count: 3,
    });
    const { fields, count, revision } = await hash.get('h');
    expect([fields.toObject(), count, revision]).toEqual([{ a: '1', b: '2', c: '5' }, 3, 2]);
    const some = await hash.get('h', { names: ['b', 'none'] });
    expect([some.fields.toObject(), some.count]).toEqual([{ b: '2' }, 3]);
    expect(await hash.increment('h', 'n')).toEqual({ revision: 3, value: 1n });
    expect(await hash.increment('h', 'n', 2n ** 60n)).toEqual({ revision: 4, value: 2n ** 60n + 1n });
    expect(await hash.incrementFloat('h', 'a', 0.5)).toEqual({ revision: 5, value: 1.5, text: '1.5' });
    expect(await hash.delete('h', ['a', 'b', 'none'])).toEqual({ revision: 6, deletedCount: 2, count: 2 });
    const named = await hash.scan('h', { namesOnly: true }).toArray();
    expect(named.map(({ name, value }) => `${name.text()}=${value.text()}`).toSorted()).toEqual(['c=', 'n=']);
    const none = await hash.get('none');
    expect([none.fields.size, none.count]).toEqual([0, 0]);
  });

  test('changes and reads lists', async () => {
    const { list } = await open();
    expect(await list.push('l', ['b', 'c'])).toEqual({ revision: 1, count: 2 });
    expect(await list.push('l', ['a'], { end: 'head' })).toEqual({ revision: 2, count: 3 });
    expect(await list.push('none', ['a'], { onlyIfExists: true })).toEqual({ revision: 2, count: 0 });
    expect(await list.insert('l', 'x', { behind: 'a' })).toEqual({ revision: 3, inserted: true, count: 4 });
    expect(await list.insert('l', 'y', { before: 'no' })).toEqual({ revision: 3, inserted: false, count: 4 });
    expect(await list.set('l', -1, 'z')).toEqual({ revision: 4 });
    const { elements, count, revision } = await list.range('l', { start: 1, stop: -1 });
    expect([elements.map(String), count, revision]).toEqual([['x', 'b', 'z'], 4, 4]);
    const moved = await list.move('l', 'm', { from: 'tail', to: 'head' });
    expect([moved.revision, moved.element?.text()]).toEqual([5, 'z']);
    expect(await list.move('none', 'm')).toEqual({ revision: 5, element: undefined });
    expect(await list.remove('l', 'b', { limit: -1 })).toEqual({ revision: 6, removedCount: 1, count: 2 });
    expect(await list.trim('l', { stop: 0 })).toEqual({ revision: 7, count: 1 });
    const popped = await list.pop('l', { end: 'tail', limit: 9 });
    expect([popped.revision, popped.count, popped.elements.map(String)]).toEqual([8, 0, ['a']]);
    expect(await list.pop('l')).toEqual({ revision: 8, elements: [], count: 0 });
    expect(await list.range('l')).toEqual({ elements: [], count: 0, revision: 8 });
  });

  test('changes and reads sets', async () => {
    const { set } = await open();
    expect(await set.add('s', ['a', 'b', 'a'])).toEqual({ revision: 1, addedCount: 2, count: 2 });
    expect(await set.add('t', ['b', 'c'])).toEqual({ revision: 2, addedCount: 2, count: 2 });
    expect(await set.contains('s', ['c', 'a'])).toEqual({ revision: 2, contained: [false, true], count: 2 });
    expect(await set.remove('s', ['a', 'none'])).toEqual({ revision: 3, removedCount: 1, count: 1 });
    const told = await set.combine('union', ['s', 't']);
    expect([told.members.map(String).toSorted(), told.count, told.revision]).toEqual([['b', 'c'], 2, 3]);
    const limited = await set.combine('union', ['s', 't'], { limit: 1 });
    expect([limited.members.length, limited.count]).toEqual([1, 1]);
    const stored = await set.combine('difference', ['t', 's'], { destination: 'd' });
    expect(stored).toEqual({ revision: 4, members: [], count: 1 });
    expect((await set.scan('d').toArray()).map(String)).toEqual(['c']);
    const taken = await set.pop('t', { limit: 5 });
    expect([taken.members.map(String).toSorted(), taken.count, taken.revision]).toEqual([['b', 'c'], 0, 5]);
  });

  test('changes and reads sorted sets', async () => {
    const { sortedSet, set } = await open();
    expect(await sortedSet.add('z', { a: 1, b: 2, c: 2 })).toEqual({
      revision: 1,
      addedCount: 3,
      changedCount: 0,
      count: 3,
      scores: [],
    });
    expect(await sortedSet.add('z', { a: 5, d: 4 }, { increment: true, onlyIfExists: true })).toEqual({
      revision: 2,
      addedCount: 0,
      changedCount: 1,
      count: 3,
      scores: [6, undefined],
    });
    expect(await sortedSet.increment('z', 'b', -1)).toEqual({ revision: 3, score: 1 });
    expect(await sortedSet.increment('z', 'b', -1, { onlyIfGreater: true })).toEqual({
      revision: 3,
      score: undefined,
    });
    expect(await sortedSet.score('z', ['a', 'none'])).toEqual({
      revision: 3,
      scores: [6, undefined],
      count: 3,
    });
    expect(await sortedSet.rank('z', 'a', { reverse: true })).toEqual({
      revision: 3,
      rank: 0,
      score: 6,
      count: 3,
    });
    expect(await sortedSet.rank('z', 'none')).toEqual({
      revision: 3,
      rank: undefined,
      score: undefined,
      count: 3,
    });
    const members = async (...asked: Parameters<typeof sortedSet.range>): Promise<string[]> =>
      (await sortedSet.range(...asked).toArray()).map(({ member, score }) => `${member.text()}=${score}`);
    expect(await members('z')).toEqual(['b=1', 'c=2', 'a=6']);
    expect(await members('z', { rank: { start: 1 } }, { reverse: true })).toEqual(['c=2', 'b=1']);
    expect(await members('z', { score: { min: 1, minExclusive: true, max: 2 } })).toEqual(['c=2']);
    expect(await sortedSet.count('z', { rank: { stop: -2 } })).toEqual({ count: 2, revision: 3 });
    expect(await sortedSet.count('z')).toEqual({ count: 3, revision: 3 });
    // Of the members of a range one may be undefined: it counts as left out.
    expect(await members('z', { rank: undefined, score: { max: 1 } } as object)).toEqual(['b=1']);
    await set.add('s', ['b', 'e']);
    const told = await sortedSet.combine('union', ['z', 's'], { weights: [2, 10], aggregate: 'max' });
    expect(told.members.map(({ member, score }) => [member.text(), score])).toEqual([
      ['c', 4],
      ['b', 10],
      ['e', 10],
      ['a', 12],
    ]);
    expect(await sortedSet.combine('intersection', ['z', 's'], { destination: 'd' })).toEqual({
      revision: 5,
      members: [],
      count: 1,
    });
    expect(await sortedSet.remove('z', ['none'])).toEqual({ revision: 5, removedCount: 0, count: 3 });
    const range = { rank: undefined, score: { min: 5 } } as unknown as { score: { min: number } };
    expect(await sortedSet.removeRange('z', range)).toEqual({ revision: 6, removedCount: 1, count: 2 });
    const popped = await sortedSet.pop('z', { highest: true });
    expect([
      popped.revision,
      popped.count,
      popped.members[0]?.member.text(),
      popped.members[0]?.score,
    ]).toEqual([7, 1, 'c', 2]);
  });

  test('keeps sketches', async () => {
    const { sketch } = await open();
    expect(await sketch.hllAdd('p', ['a', 'b'])).toEqual({ revision: 1, changed: true });
    expect(await sketch.hllAdd('q', [])).toEqual({ revision: 2, changed: true });
    expect(await sketch.hllMerge('q', ['p'])).toEqual({ revision: 3 });
    expect(await sketch.hllCount(['p', 'q', 'none'])).toEqual({ count: 2, revision: 3 });
    expect(await sketch.hllCount(['p'], { revision: 1 })).toEqual({ count: 2, revision: 1 });
    expect(await sketch.bloomCreate('b', { errorRate: 0.001, capacity: 2, nonScaling: true })).toEqual({
      revision: 4,
    });
    expect(await sketch.bloomAdd('b', ['a', 'b', 'a'])).toEqual({ revision: 5, added: [true, true, false] });
    await expect(sketch.bloomAdd('b', ['c', 'd'])).rejects.toMatchObject({ code: 'limitReached' });
    expect(await sketch.bloomContains('b', ['a', 'z'])).toEqual({ revision: 5, contained: [true, false] });
    expect(await sketch.bloomContains('none', ['a'])).toEqual({ revision: 5, contained: [false] });
  });

  test('gives each element once over several pages, all as of their first revision', async () => {
    const store = await open();
    await fill(store);
    const fields: string[] = [];
    for await (const { items } of store.hash.scan('h', { pageSize: 300 }).pages()) {
      if (fields.length === 0) await store.delete('h');
      expect(items.length).toBeLessThanOrEqual(300);
      fields.push(...items.map(({ name }) => name.text()));
    }
    expect(fields.toSorted()).toEqual(names);
    const members = await store.set.scan('s', { pageSize: 700 }).toArray();
    expect(members.map(String).toSorted()).toEqual(names);
    const scored = await store.sortedSet
      .range('z', { rank: { start: 10, stop: -11 } }, { pageSize: 400 })
      .toArray();
    expect(scored.map(({ member }) => member.text())).toEqual(names.slice(10, -10));
    const reversed = await store.sortedSet
      .range('z', { score: { max: 99 } }, { reverse: true, pageSize: 30 })
      .toArray();
    expect(reversed.map(({ score }) => score)).toEqual(Array.from({ length: 100 }, (_, place) => 99 - place));
    const elements = await store.list.scan('l', { start: -2000, pageSize: 999 }).toArray();
    expect(elements.map(String)).toEqual(names.slice(500));
    expect((await store.list.scan('l', { limit: 3 }).toArray()).map(String)).toEqual(names.slice(0, 3));
    expect((await store.list.range('l')).elements.map(String)).toEqual(names);
  });

  test('shows at an old revision what there was then', async () => {
    const store = await open();
    const revision = await fill(store);
    await store.hash.set('h', { [names[0] as string]: 'w', more: 'x' });
    await store.list.trim('l', { start: 2000 });
    await store.set.remove('s', names.slice(5));
    await store.sortedSet.removeRange('z', { rank: { start: 5 } });
    const { fields, count } = await store.hash.get('h', { names: names.slice(0, 1), revision });
    expect([fields.toObject(), count]).toEqual([{ [names[0] as string]: 'v' }, 2500]);
    expect(await store.hash.scan('h', { revision, pageSize: 999 }).toArray()).toHaveLength(2500);
    const old = await store.list.range('l', { revision });
    expect([old.elements.map(String), old.revision, old.count]).toEqual([names, revision, 2500]);
    expect(await store.list.scan('l', { revision, start: -3 }).toArray()).toHaveLength(3);
    expect((await store.set.contains('s', names.slice(-2), { revision })).contained).toEqual([true, true]);
    expect(await store.set.scan('s', { revision }).toArray()).toHaveLength(2500);
    expect((await store.sortedSet.score('z', names.slice(-1), { revision })).scores).toEqual([2499]);
    const range = { score: { min: 2490 } };
    expect(await store.sortedSet.range('z', range, { revision }).toArray()).toHaveLength(10);
    for (const read of [
      store.hash.get('h', { revision: 99 }),
      store.hash.scan('h', { revision: 99 }).toArray(),
      store.list.range('l', { revision: 99 }),
      store.sketch.hllCount(['none'], { revision: 99 }),
    ]) {
      await expect(read).rejects.toMatchObject({ code: 'revisionFuture' });
    }
  });

  test('gives a key that a call creates its time to live, and starts it anew by reads that ask for it', async () => {
    const store = await open();
    await store.set.add('s', ['a'], { ttlMs: 60_000 });
    const { entry } = await store.get('s');
    expect([entry?.type, entry?.expireTimeMs === 0]).toEqual(['set', false]);
    const { contained, revision } = await store.set.contains('s', ['a'], { refreshTtl: true });
    expect([contained, revision]).toEqual([[true], 2]);
    const { entry: refreshed } = await store.get('s');
    expect(refreshed?.expireTimeMs).toBeGreaterThanOrEqual(entry?.expireTimeMs ?? Infinity);
    await expect(store.set.contains('s', ['a'], { refreshTtl: true, revision: 1 })).rejects.toMatchObject({
      code: 'invalidArgument',
      message: expect.stringContaining('refreshTtl is a write') as string,
    });
  });

  test('gives bytes that are no text as they are, and keeps none of the buffers that it was given', async () => {
    const store = await open();
    const given = new Uint8Array(binary);
    await store.hash.set(given, new Map([[given, given]]));
    const read = store.hash.get(given, { names: [given] });
    const scan = store.hash.scan(given);
    const range = expect(store.list.range(given)).rejects.toMatchObject({ code: 'wrongType' });
    given.fill(0x41);
    const { fields } = await read;
    expect([...fields].map(({ name, value }) => [name.bytes, value.bytes])).toEqual([[binary, binary]]);
    expect(fields.get(binary)?.bytes).toEqual(binary);
    expect((await scan.toArray()).map(({ name }) => name.bytes)).toEqual([binary]);
    await range;
    await store.sortedSet.add('z', [[binary, -Infinity]]);
    const bound = new Uint8Array(binary);
    const bounded = store.sortedSet.range('z', { member: { min: bound, max: bound } });
    bound.fill(0x41);
    const [first] = await bounded.toArray();
    expect([first?.member.bytes, first?.score]).toEqual([binary, -Infinity]);
  });

  test('has codes of their own for what can go wrong, and nothing has changed then', async () => {
    const store = await open();
    await store.put('plain', 'text');
    await store.hash.set('h', { text: 'x', max: String(2n ** 63n - 1n) });
    await store.list.push('l', ['a']);
    const { revision } = await store.sketch.bloomAdd('b', ['a']);
    for (const [call, code] of [
      [() => store.hash.get('plain'), 'wrongType'],
      [() => store.hash.scan('plain').toArray(), 'wrongType'],
      [() => store.list.push('h', ['a']), 'wrongType'],
      [() => store.set.combine('union', ['h']), 'wrongType'],
      [() => store.sortedSet.rank('h', 'a'), 'wrongType'],
      [() => store.hash.increment('h', 'text'), 'notAnInteger'],
      [() => store.hash.increment('h', 'max'), 'integerOverflow'],
      [() => store.hash.incrementFloat('h', 'text', 1), 'notAFloat'],
      [() => store.list.set('l', 5, 'x'), 'indexOutOfRange'],
      [() => store.list.set('none', 0, 'x'), 'keyNotFound'],
      [() => store.sketch.bloomCreate('h'), 'wrongType'],
      [() => store.sketch.bloomCreate('b'), 'conditionFailed'],
      [() => store.hash.set('h', {}), 'invalidArgument'],
      [() => store.hash.get('', { names: ['a'] }), 'invalidArgument'],
      [() => store.set.add('s', ['x'.repeat(5000)]), 'invalidArgument'],
      [() => store.set.contains('s', []), 'invalidArgument'],
      [() => store.set.contains('s', Array<string>(10_001).fill('a')), 'invalidArgument'],
      [() => store.set.combine('union', ['s'], { destination: '' }), 'invalidArgument'],
      [() => store.sortedSet.combine('union', ['s'], { destination: new Uint8Array(0) }), 'invalidArgument'],
      [
        () => store.sortedSet.add('z', { a: 1 }, { onlyIfGreater: true, onlyIfLess: true }),
        'invalidArgument',
      ],
      [() => store.sortedSet.range('z', { rank: {} }, { revision: 1 }).toArray(), 'invalidArgument'],
      [() => store.sketch.hllCount([]), 'invalidArgument'],
    ] as const) {
      await expect(call(), String(call)).rejects.toMatchObject({ code });
    }
    expect((await store.get('plain')).revision).toBe(revision);
  });
});
