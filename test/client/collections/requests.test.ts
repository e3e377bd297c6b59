/** What the client sends for hashes, lists, sets, sorted sets and sketches, and what it makes of the replies. */
import { Code, type ServiceImpl } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { ListEnd, ListService } from '../../../gen/kelp/v1/list_pb.ts';
import { SetOperation, SetService } from '../../../gen/kelp/v1/set_pb.ts';
import { SketchService } from '../../../gen/kelp/v1/sketch_pb.ts';
import { ScoreAggregate, SortedSetService } from '../../../gen/kelp/v1/sorted_set_pb.ts';
import type { KelpClient } from '../../../src/client/index.ts';
import { broken, clientOf, failureOf, kelpFailure } from '../support/fake-server.ts';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const notUtf8 = new Uint8Array([0xff, 0x00, 0x61]);

const hashClient = (service: Partial<ServiceImpl<typeof HashService>>): KelpClient =>
  clientOf((router) => void router.service(HashService, service)).client;
const listClient = (service: Partial<ServiceImpl<typeof ListService>>): KelpClient =>
  clientOf((router) => void router.service(ListService, service)).client;
const setClient = (service: Partial<ServiceImpl<typeof SetService>>): KelpClient =>
  clientOf((router) => void router.service(SetService, service)).client;
const sortedSetClient = (service: Partial<ServiceImpl<typeof SortedSetService>>): KelpClient =>
  clientOf((router) => void router.service(SortedSetService, service)).client;
const sketchClient = (service: Partial<ServiceImpl<typeof SketchService>>): KelpClient =>
  clientOf((router) => void router.service(SketchService, service)).client;

describe('a hash', () => {
  test('takes its fields as an object, a Map or pairs, with names and values as text or bytes', async () => {
    const requests: unknown[] = [];
    const client = hashClient({
      set: ({ key, keyBytes, fields, onlyIfAbsent, ttl }) => {
        requests.push({
          key: key || keyBytes,
          fields: fields.map(({ name, value }) => [name, value]),
          onlyIfAbsent,
          ttl: ttl?.seconds,
        });
        return { revision: 7n, addedCount: 1n, count: 2n };
      },
    });
    expect(await client.hash.set('k', { name: 'Alice', __proto__: 'é' })).toEqual({
      revision: 7,
      addedCount: 1,
      count: 2,
    });
    await client.hash.set(
      notUtf8,
      new Map([
        [notUtf8, 'v'],
        [bytes('n'), 'w'],
      ]),
      { onlyIfAbsent: true, ttlMs: 2000 },
    );
    await client.hash.set('k', [['n', notUtf8]]);
    expect(requests).toEqual([
      { key: 'k', fields: [[bytes('name'), bytes('Alice')]], onlyIfAbsent: false, ttl: undefined },
      {
        key: notUtf8,
        fields: [
          [notUtf8, bytes('v')],
          [bytes('n'), bytes('w')],
        ],
        onlyIfAbsent: true,
        ttl: 2n,
      },
      { key: 'k', fields: [[bytes('n'), notUtf8]], onlyIfAbsent: false, ttl: undefined },
    ]);
  });

  test('gives fields to look up by name, to go through and as an object, and never a text for bytes that are none', async () => {
    const client = hashClient({
      get: () => ({
        fields: [
          { name: bytes('name'), value: bytes('Alice') },
          { name: notUtf8, value: notUtf8 },
        ],
        count: 2n,
        revision: 9n,
      }),
    });
    const { fields, count, revision } = await client.hash.get('user:1');
    expect([fields.size, count, revision]).toEqual([2, 2, 9]);
    expect(fields.get('name')?.text()).toBe('Alice');
    expect(fields.get(bytes('name'))?.bytes).toEqual(bytes('Alice'));
    expect(fields.get(notUtf8)?.bytes).toEqual(notUtf8);
    expect(() => fields.get(notUtf8)?.text()).toThrow(TypeError);
    expect([fields.has('name'), fields.has('nam')]).toEqual([true, false]);
    expect([...fields].map(({ name }) => name.bytes)).toEqual([bytes('name'), notUtf8]);
    expect(() => fields.toObject()).toThrow(TypeError);
    expect(String(fields.get('name'))).toBe('Alice');
  });

  test('asks for named fields, and not for all when the names are none', async () => {
    const asked: unknown[] = [];
    const client = hashClient({ get: ({ names, revision }) => (asked.push([names, revision]), {}) });
    await client.hash.get('k', { names: ['a', notUtf8], revision: 5 });
    expect(asked).toEqual([[[bytes('a'), notUtf8], 5n]]);
    await expect(client.hash.get('k', { names: [] })).rejects.toMatchObject({ code: 'invalidArgument' });
  });

  test('is read page by page, at the revision of the first', async () => {
    const asked: unknown[] = [];
    const client = hashClient({
      scan: ({ pageToken, limit, namesOnly }) => {
        asked.push([pageToken, limit, namesOnly]);
        return pageToken === ''
          ? { fields: [{ name: bytes('a'), value: bytes('1') }], nextPageToken: 'next', revision: 4n }
          : { fields: [{ name: bytes('b'), value: bytes('2') }], revision: 4n };
      },
    });
    const seen: string[] = [];
    for await (const { name, value } of client.hash.scan('k', { pageSize: 1 }))
      seen.push(`${name.text()}=${value.text()}`);
    expect(seen).toEqual(['a=1', 'b=2']);
    expect(asked).toEqual([
      ['', 1, false],
      ['next', 1, false],
    ]);
  });

  test('adds whole numbers and others', async () => {
    const amounts: unknown[] = [];
    const client = hashClient({
      increment: ({ amount }) => {
        amounts.push(amount);
        return { revision: 3n, value: bytes(amount.case === 'delta' ? '9007199254740993' : '1.5') };
      },
    });
    expect(await client.hash.increment('k', 'n', 2n ** 53n)).toEqual({
      revision: 3,
      value: 9007199254740993n,
    });
    expect(await client.hash.incrementFloat('k', 'n', 0.5)).toEqual({ revision: 3, value: 1.5, text: '1.5' });
    expect(amounts).toEqual([
      { case: 'delta', value: 2n ** 53n },
      { case: 'floatDelta', value: 0.5 },
    ]);
  });

  test('that is another type is refused by its own code', async () => {
    const client = hashClient({
      delete: () => {
        throw kelpFailure(Code.FailedPrecondition, ErrorReason.WRONG_TYPE);
      },
    });
    expect(await failureOf(client.hash.delete('k', ['a']))).toMatchObject({ code: 'wrongType' });
  });
});

describe('a list', () => {
  test('is pushed to at the tail and popped from at the head, if nothing else is said', async () => {
    const requests: unknown[] = [];
    const client = listClient({
      push: ({ elements, end, onlyIfExists }) => (
        requests.push([elements, end, onlyIfExists]),
        { count: 2n }
      ),
      pop: ({ end, limit }) => (requests.push([end, limit]), { elements: [notUtf8], revision: 2n }),
    });
    await client.list.push('q', ['a', notUtf8]);
    await client.list.push('q', ['b'], { end: 'head', onlyIfExists: true });
    const { elements } = await client.list.pop('q');
    expect(elements[0]?.bytes).toEqual(notUtf8);
    await client.list.pop('q', { end: 'tail', limit: 3 });
    expect(requests).toEqual([
      [[bytes('a'), notUtf8], ListEnd.TAIL, false],
      [[bytes('b')], ListEnd.HEAD, true],
      [ListEnd.HEAD, 1n],
      [ListEnd.TAIL, 3n],
    ]);
  });

  /** A server that cuts each reply after some elements. */
  function cuttingServer(
    elements: readonly string[],
    most: number,
  ): { client: KelpClient; revisions: bigint[] } {
    const revisions: bigint[] = [];
    const client = listClient({
      range: ({ start, stop = -1n, revision }) => {
        revisions.push(revision);
        const first = start < 0n ? Math.max(0, elements.length + Number(start)) : Number(start);
        const last = stop < 0n ? elements.length + Number(stop) : Number(stop);
        const range = elements.slice(first, Math.max(0, last + 1)).slice(0, most);
        return { elements: range.map(bytes), count: BigInt(elements.length), revision: 8n };
      },
    });
    return { client, revisions };
  }

  const letters = ['a', 'b', 'c', 'd', 'e'];

  test.each([1, 2, 10])('is read whole by replies of at most %i elements, at one revision', async (most) => {
    const { client, revisions } = cuttingServer(letters, most);
    const { elements, count, revision } = await client.list.range('q');
    expect([elements.map(String), count, revision]).toEqual([letters, 5, 8]);
    expect(new Set(revisions.slice(1)).size).toBeLessThanOrEqual(1);
  });

  const ends = [-9, -5, -3, -1, 0, 1, 3, 4, 9];

  test('gives the same elements for every range, however they are cut into pages', async () => {
    for (const most of [1, 2, 10]) {
      const { client } = cuttingServer(letters, most);
      for (const start of ends) {
        for (const stop of ends) {
          const first = start < 0 ? Math.max(0, 5 + start) : start;
          const wanted = letters.slice(first, Math.max(0, stop < 0 ? 6 + stop : stop + 1));
          const { elements } = await client.list.range('q', { start, stop });
          expect([start, stop, ...elements.map(String)]).toEqual([start, stop, ...wanted]);
          const paged = await client.list.scan('q', { start, stop, pageSize: 2, limit: 3 }).toArray();
          expect([start, stop, ...paged.map(String)]).toEqual([start, stop, ...wanted.slice(0, 3)]);
        }
      }
    }
  });

  test('gets an element before or behind another one, not both and not neither', async () => {
    const requests: unknown[] = [];
    const client = listClient({
      insert: ({ pivot, element, isBehind }) => (requests.push([pivot, element, isBehind]), {}),
    });
    await client.list.insert('q', 'new', { before: 'p' });
    await client.list.insert('q', 'new', { behind: '' });
    expect(requests).toEqual([
      [bytes('p'), bytes('new'), false],
      [bytes(''), bytes('new'), true],
    ]);
    for (const options of [{}, { before: 'a', behind: 'b' }]) {
      await expect(client.list.insert('q', 'new', options)).rejects.toThrow('either before or behind');
    }
  });

  test('gives an element to another, if there is one', async () => {
    let moved = true;
    const client = listClient({
      move: ({ key, destination, destinationBytes, from, to }) => {
        expect([key, destination || destinationBytes, from, to]).toEqual([
          'a',
          notUtf8,
          ListEnd.HEAD,
          ListEnd.TAIL,
        ]);
        return { moved, element: moved ? bytes('x') : bytes(''), revision: 5n };
      },
    });
    expect((await client.list.move('a', notUtf8)).element?.text()).toBe('x');
    moved = false;
    expect(await client.list.move('a', notUtf8)).toEqual({ revision: 5, element: undefined });
  });
});

describe('a set', () => {
  test('tells of each member whether it is there, and a reply that lacks one is none', async () => {
    const client = setClient({
      contains: ({ members }) => ({
        contained: members.slice(0, 2).map((_, index) => index === 0),
        count: 1n,
      }),
    });
    expect(await client.set.contains('s', ['a', 'b'])).toMatchObject({ contained: [true, false], count: 1 });
    await expect(client.set.contains('s', ['a', 'b', 'c'])).rejects.toMatchObject({ code: 'internal' });
  });

  test('is put together with others, as a reply or as another set', async () => {
    const requests: unknown[] = [];
    const client = setClient({
      combine: (request) => {
        const { keys, keysBytes, operation, destination, limit } = request;
        requests.push([keys, keysBytes, operation, destination, limit]);
        return { members: [bytes('m')], count: 1n, revision: 2n };
      },
    });
    const { members } = await client.set.combine('difference', ['a', notUtf8], { limit: 4 });
    expect(members.map(String)).toEqual(['m']);
    await client.set.combine('union', ['a'], { destination: 'd' });
    expect(requests).toEqual([
      [['a', ''], [notUtf8], SetOperation.DIFFERENCE, '', 4n],
      [['a'], [], SetOperation.UNION, 'd', 0n],
    ]);
  });
});

describe('a sorted set', () => {
  test('takes scores by name, and gives those that an addition has made', async () => {
    const requests: unknown[] = [];
    const client = sortedSetClient({
      add: (request) => {
        requests.push([
          request.members.map(({ member, score }) => [Buffer.from(member).toString(), score]),
          request.onlyIfGreater,
          request.increment,
        ]);
        return { addedCount: 1n, scores: request.increment ? [{ score: 3 }] : [] };
      },
    });
    expect(await client.sortedSet.add('z', { a: 1, b: -Infinity }, { onlyIfGreater: true })).toMatchObject({
      addedCount: 1,
      scores: [],
    });
    expect(await client.sortedSet.increment('z', 'a', 2)).toEqual({ revision: 0, score: 3 });
    expect(requests).toEqual([
      [
        [
          ['a', 1],
          ['b', -Infinity],
        ],
        true,
        false,
      ],
      [[['a', 2]], false, true],
    ]);
  });

  test('is read by rank, score or member, in pages, and counted', async () => {
    const requests: unknown[] = [];
    const client = sortedSetClient({
      range: ({ range, reverse, limit, countOnly }) => {
        requests.push([range?.bounds, reverse, limit, countOnly]);
        return { members: countOnly ? [] : [{ member: bytes('m'), score: 1.5 }], count: 4n, revision: 6n };
      },
    });
    const list = await client.sortedSet
      .range('z', { rank: { stop: 9 } }, { reverse: true, limit: 5 })
      .toArray();
    expect(list.map(({ member, score }) => [member.text(), score])).toEqual([['m', 1.5]]);
    expect(await client.sortedSet.count('z', { score: { min: 0, minExclusive: true } })).toEqual({
      count: 4,
      revision: 6,
    });
    await client.sortedSet.range('z', { member: { min: 'a', max: notUtf8 } }).toArray();
    await client.sortedSet.range('z').toArray();
    expect(requests).toMatchObject([
      [{ case: 'rank', value: { start: 0n, stop: 9n } }, true, 5, false],
      [{ case: 'score', value: { min: 0, minExclusive: true } }, false, 0, true],
      [{ case: 'member', value: { min: bytes('a'), max: notUtf8 } }, false, 1000, false],
      [undefined, false, 1000, false],
    ]);
  });

  test('tells no rank and no score of a member that it has not', async () => {
    const client = sortedSetClient({ rank: () => ({ count: 4n, revision: 6n }) });
    expect(await client.sortedSet.rank('z', 'm')).toEqual({
      rank: undefined,
      score: undefined,
      count: 4,
      revision: 6,
    });
  });

  test('is combined with weights', async () => {
    const requests: unknown[] = [];
    const client = sortedSetClient({
      combine: ({ keys, weights, aggregate }) => (requests.push([keys, weights, aggregate]), {}),
    });
    await client.sortedSet.combine('union', ['a', 'b'], { weights: [1, 0.5], aggregate: 'max' });
    expect(requests).toEqual([[['a', 'b'], [1, 0.5], ScoreAggregate.MAX]]);
  });
});

test('sketches count and remember', async () => {
  const client = sketchClient({
    hllAdd: ({ elements }) => ({ changed: elements.length > 0, revision: 1n }),
    hllCount: ({ keys }) => ({ count: BigInt(keys.length) }),
    hllMerge: ({ sources, sourcesBytes }) => ({
      revision: BigInt(sources.length * 10 + sourcesBytes.length),
    }),
    bloomCreate: ({ errorRate, capacity, expansion, nonScaling }) => {
      expect([errorRate, capacity, expansion, nonScaling]).toEqual([0.5, 7n, 0, true]);
      return { revision: 2n };
    },
    bloomAdd: ({ elements }) => ({ added: elements.map(() => true) }),
    bloomContains: ({ elements }) => ({ contained: elements.map(() => false) }),
  });
  expect(await client.sketch.hllAdd('h', [])).toEqual({ changed: false, revision: 1 });
  expect(await client.sketch.hllCount(['a', 'b'])).toEqual({ count: 2, revision: 0 });
  expect(await client.sketch.hllMerge('h', ['a', notUtf8])).toEqual({ revision: 21 });
  await client.sketch.bloomCreate('b', { errorRate: 0.5, capacity: 7, nonScaling: true });
  expect((await client.sketch.bloomAdd('b', ['x'])).added).toEqual([true]);
  expect((await client.sketch.bloomContains('b', ['x', 'y'])).contained).toEqual([false, false]);
});

describe('after a broken connection', () => {
  test('a change is not repeated, and what only reads is', async () => {
    const calls: string[] = [];
    let isBroken = true;
    const answer = (name: string): object => {
      calls.push(name);
      if (!isBroken) return {};
      isBroken = false;
      throw broken();
    };
    const { client } = clientOf((router) => {
      router.service(ListService, { pop: () => answer('pop') });
      router.service(HashService, { get: () => answer('get') });
      router.service(SetService, { combine: () => answer('combine') });
    });
    expect(await failureOf(client.list.pop('q'))).toMatchObject({ mayHaveTakenEffect: true });
    isBroken = true;
    await client.hash.get('k');
    isBroken = true;
    expect(await failureOf(client.hash.get('k', { refreshTtl: true }))).toMatchObject({
      mayHaveTakenEffect: true,
    });
    isBroken = true;
    await client.set.combine('union', ['a']);
    isBroken = true;
    expect(await failureOf(client.set.combine('union', ['a'], { destination: 'd' }))).toMatchObject({
      mayHaveTakenEffect: true,
    });
    expect(calls).toEqual(['pop', 'get', 'get', 'get', 'combine', 'combine', 'combine']);
  });
});
