import { type Client, ConnectError, Code, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import type { DescService } from '@bufbuild/protobuf';
import { durationFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import { HashService } from '../../../../gen/kelp/v1/hash_pb.ts';
import { KvService } from '../../../../gen/kelp/v1/kv_pb.ts';
import { type ListEnd, ListService } from '../../../../gen/kelp/v1/list_pb.ts';
import { SetOperation, SetService } from '../../../../gen/kelp/v1/set_pb.ts';
import { SketchService } from '../../../../gen/kelp/v1/sketch_pb.ts';
import { SortedSetService } from '../../../../gen/kelp/v1/sorted_set_pb.ts';
import { startTestServer } from '../../../support/test-server.ts';
import { KEPT_HISTORY_FLAGS } from '../../../support/test-engine.ts';

const transports = {
  gRPC: (baseUrl: string) => createGrpcTransport({ baseUrl }),
  'Connect with JSON': (baseUrl: string) =>
    createConnectTransport({ baseUrl, httpVersion: '2', useBinaryFormat: false }),
};

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (of: Uint8Array | undefined): string => Buffer.from(of ?? []).toString();
const texts = (list: readonly Uint8Array[]): string[] => list.map(text);
const field = (name: string, value: string) => ({ name: bytes(name), value: bytes(value) });

async function clients(makeTransport = transports.gRPC, flags = {}) {
  const { url } = await startTestServer({ flags });
  const transport = makeTransport(url);
  const client = <Service extends DescService>(service: Service): Client<Service> =>
    createClient(service, transport);
  return {
    kv: client(KvService),
    hash: client(HashService),
    list: client(ListService),
    set: client(SetService),
    sorted: client(SortedSetService),
    sketch: client(SketchService),
  };
}

async function failure(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => ConnectError.from(reason),
  );
  return `${Code[error?.code ?? 0] ?? 'none'}: ${error?.rawMessage ?? ''}`;
}

describe.each(Object.entries(transports))('data types over %s', (_, makeTransport) => {
  test('fields of a hash', async () => {
    const { hash, kv } = await clients(makeTransport);
    const set = await hash.set({ key: 'h', fields: [field('a', '1'), field('b', '2'), field('a', '3')] });
    expect(set).toMatchObject({ revision: 1n, addedCount: 2n, count: 2n });
    expect(await hash.set({ key: 'h', fields: [field('a', '9')], onlyIfAbsent: true })).toMatchObject({
      revision: 1n,
      addedCount: 0n,
    });
    const got = await hash.get({ key: 'h', names: [bytes('b'), bytes('x'), bytes('a')] });
    expect(got.fields.map(({ name, value }) => text(name) + text(value))).toEqual(['b2', 'a3']);
    const sum = await hash.increment({
      key: 'h',
      name: bytes('a'),
      amount: { case: 'floatDelta', value: 0.5 },
    });
    expect(text(sum.value)).toBe('3.5');
    expect((await hash.get({ key: 'h', revision: 1n })).fields.map(({ value }) => text(value))).toEqual([
      '3',
      '2',
    ]);
    expect(await hash.delete({ key: 'h', names: [bytes('a'), bytes('b'), bytes('c')] })).toMatchObject({
      deletedCount: 2n,
      count: 0n,
    });
    expect((await kv.get({ key: 'h' })).entry).toBeUndefined();
  });

  test('elements of a list', async () => {
    const { list } = await clients(makeTransport);
    expect((await list.push({ key: 'l', elements: ['a', 'b', 'c', 'd'].map(bytes) })).count).toBe(4n);
    expect(texts((await list.range({ key: 'l', start: 1n, stop: -2n })).elements)).toEqual(['b', 'c']);
    await list.set({ key: 'l', index: -1n, element: bytes('z') });
    expect(await list.insert({ key: 'l', pivot: bytes('b'), element: bytes('i') })).toMatchObject({
      inserted: true,
      count: 5n,
    });
    expect((await list.remove({ key: 'l', element: bytes('c') })).removedCount).toBe(1n);
    const moved = await list.move({ key: 'l', destination: 'm' });
    expect([moved.moved, text(moved.element)]).toEqual([true, 'a']);
    expect((await list.trim({ key: 'l', start: 1n })).count).toBe(2n);
    expect(texts((await list.pop({ key: 'l', limit: 5n })).elements)).toEqual(['b', 'z']);
    expect(await failure(list.set({ key: 'l', index: 0n, element: bytes('x') }))).toMatch(/^NotFound/);
    expect(await failure(list.set({ key: 'm', index: 4n, element: bytes('x') }))).toMatch(/^OutOfRange/);
  });

  test('members of sets, and what sets make together', async () => {
    const { set } = await clients(makeTransport);
    await set.add({ key: 'x', members: ['a', 'b', 'c'].map(bytes) });
    await set.add({ key: 'y', members: ['b', 'c', 'd'].map(bytes) });
    expect((await set.contains({ key: 'x', members: ['a', 'd'].map(bytes) })).contained).toEqual([
      true,
      false,
    ]);
    const told = await set.combine({ keys: ['x', 'y'], operation: SetOperation.INTERSECTION });
    expect(texts(told.members).toSorted()).toEqual(['b', 'c']);
    const stored = await set.combine({ keys: ['x', 'y'], operation: SetOperation.UNION, destination: 'u' });
    expect([stored.count, stored.members.length]).toEqual([4n, 0]);
    expect(texts((await set.pop({ key: 'u', limit: 9n })).members).toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('scores, ranks and ranges', async () => {
    const { sorted } = await clients(makeTransport);
    const members = [
      { member: bytes('a'), score: 1.5 },
      { member: bytes('b'), score: Infinity },
      { member: bytes('c'), score: 0 },
    ];
    expect(await sorted.add({ key: 'z', members })).toMatchObject({ addedCount: 3n, count: 3n });
    const scores = await sorted.score({ key: 'z', members: ['b', 'x', 'c'].map(bytes) });
    expect(scores.scores.map(({ score }) => score)).toEqual([Infinity, undefined, 0]);
    expect(await sorted.rank({ key: 'z', member: bytes('c') })).toMatchObject({
      rank: 0n,
      score: 0,
      count: 3n,
    });
    expect((await sorted.rank({ key: 'z', member: bytes('c'), reverse: true })).rank).toBe(2n);
    expect((await sorted.rank({ key: 'z', member: bytes('x') })).rank).toBeUndefined();
    const above = { bounds: { case: 'score' as const, value: { min: 0, minExclusive: true } } };
    const ranged = await sorted.range({ key: 'z', range: above, reverse: true });
    expect(ranged.members.map(({ member }) => text(member))).toEqual(['b', 'a']);
    expect((await sorted.range({ key: 'z', range: above, countOnly: true })).count).toBe(2n);
    const combined = await sorted.combine({ keys: ['z'], operation: SetOperation.UNION, weights: [2] });
    expect(combined.members.map(({ score }) => score)).toEqual([0, 3, Infinity]);
    expect((await sorted.removeRange({ key: 'z', range: above })).removedCount).toBe(2n);
    expect((await sorted.pop({ key: 'z' })).members).toMatchObject([{ score: 0 }]);
  });

  test('sketches', async () => {
    const { sketch } = await clients(makeTransport);
    expect((await sketch.hllAdd({ key: 'p', elements: ['a', 'b'].map(bytes) })).changed).toBe(true);
    await sketch.hllAdd({ key: 'q', elements: ['b', 'c'].map(bytes) });
    expect((await sketch.hllCount({ keys: ['p', 'q'] })).count).toBe(3n);
    await sketch.hllMerge({ key: 'p', sources: ['q'] });
    expect((await sketch.hllCount({ keys: ['p'] })).count).toBe(3n);
    await sketch.bloomCreate({ key: 'f', capacity: 1n, nonScaling: true });
    expect(await failure(sketch.bloomCreate({ key: 'f' }))).toMatch(/^FailedPrecondition/);
    expect((await sketch.bloomAdd({ key: 'f', elements: [bytes('a')] })).added).toEqual([true]);
    expect(await failure(sketch.bloomAdd({ key: 'f', elements: [bytes('b')] }))).toMatch(
      /^ResourceExhausted/,
    );
    const asked = await sketch.bloomContains({ key: 'f', elements: ['a', 'b'].map(bytes) });
    expect(asked.contained).toEqual([true, false]);
  });
});

test('a change is the same as an operation of a transaction', async () => {
  const { kv, hash, list, sorted } = await clients();
  const requests = {
    fields: { fields: [field('a', '1')] },
    elements: { elements: [bytes('a'), bytes('b')] },
    scored: { members: [{ member: bytes('m'), score: 2 }], increment: true },
  };
  const { revision: _r, $unknown: _u, ...set } = await hash.set({ key: 'h', ...requests.fields });
  const pushed = await list.push({ key: 'l', ...requests.elements });
  const added = await sorted.add({ key: 'z', ...requests.scored });
  const { results, revision } = await kv.txn({
    success: [
      { operation: { case: 'hashSet', value: { key: 'h2', ...requests.fields } } },
      { operation: { case: 'listPush', value: { key: 'l2', ...requests.elements } } },
      { operation: { case: 'sortedSetAdd', value: { key: 'z2', ...requests.scored } } },
    ],
  });
  expect(results.map(({ result }) => result.value)).toEqual([
    { ...set, revision },
    { ...pushed, revision },
    { ...added, revision },
  ]);
  expect(revision).toBe(4n);
});

test('pages show one revision, whatever changes in between', async () => {
  const { hash, set, sorted } = await clients(transports.gRPC, KEPT_HISTORY_FLAGS);
  for (const count of [10, 300]) {
    const names = Array.from({ length: count }, (_, index) => `n${String(index).padStart(3, '0')}`);
    const key = `k${count}`;
    await hash.set({ key: `h${key}`, fields: names.map((name) => field(name, name)) });
    await set.add({ key: `s${key}`, members: names.map(bytes) });
    const members = names.map((name, score) => ({ member: bytes(name), score }));
    await sorted.add({ key: `z${key}`, members });
    const change = async (): Promise<void> => {
      await hash.delete({ key: `h${key}`, names: names.slice(4).map(bytes) });
      await set.remove({ key: `s${key}`, members: names.slice(4).map(bytes) });
      await sorted.removeRange({ key: `z${key}`, range: { bounds: { case: 'rank', value: { start: 4n } } } });
      await sorted.add({ key: `z${key}`, members: [{ member: bytes('late'), score: 5 }] });
    };
    const ranges = [
      undefined,
      { bounds: { case: 'rank' as const, value: { start: 0n, stop: -1n } } },
      { bounds: { case: 'score' as const, value: { min: 0 } } },
      { bounds: { case: 'member' as const, value: { min: bytes('n') } } },
    ];
    const first = {
      hash: await hash.scan({ key: `h${key}`, limit: 3 }),
      set: await set.scan({ key: `s${key}`, limit: 3 }),
      ranges: await Promise.all(
        ranges.flatMap((range) =>
          [false, true].map(async (reverse) => {
            const request = { key: `z${key}`, reverse, ...(range && { range }) };
            return { request, page: await sorted.range({ ...request, limit: 3 }) };
          }),
        ),
      ),
    };
    await change();
    const fields = [...first.hash.fields];
    for (let pageToken = first.hash.nextPageToken; pageToken !== '';) {
      const page = await hash.scan({ key: `h${key}`, limit: 100, pageToken });
      fields.push(...page.fields);
      expect([page.revision, page.count]).toEqual([first.hash.revision, BigInt(count)]);
      pageToken = page.nextPageToken;
    }
    expect(texts(fields.map(({ value }) => value)).toSorted()).toEqual(names);
    const found = [...first.set.members];
    for (let pageToken = first.set.nextPageToken; pageToken !== '';) {
      const page = await set.scan({ key: `s${key}`, limit: 100, pageToken });
      found.push(...page.members);
      pageToken = page.nextPageToken;
    }
    expect(texts(found).toSorted()).toEqual(names);
    for (const { request, page: firstPage } of first.ranges) {
      const all = [...firstPage.members];
      for (let pageToken = firstPage.nextPageToken; pageToken !== '';) {
        const page = await sorted.range({ ...request, limit: 100, pageToken });
        all.push(...page.members);
        pageToken = page.nextPageToken;
      }
      const shown = texts(all.map(({ member }) => member));
      expect(shown).toEqual(request.reverse ? names.toReversed() : names);
    }
  }
});

test('wrong arguments are refused by name, and wrong types whatever is asked', async () => {
  const { hash, list, set, sorted, sketch, kv } = await clients();
  expect(await failure(hash.set({ key: 'h' }))).toBe('InvalidArgument: fields is empty; give at least one');
  expect(await failure(hash.increment({ key: 'h', name: bytes('a') }))).toMatch(/^InvalidArgument: amount/);
  expect(await failure(list.push({ key: 'l', elements: [bytes('a')], end: 7 as ListEnd }))).toMatch(
    /^InvalidArgument: end is 7/,
  );
  expect(await failure(list.pop({ key: 'l', limit: -1n }))).toMatch(/^InvalidArgument: limit is -1/);
  expect(await failure(set.combine({ keys: ['s'] }))).toMatch(/^InvalidArgument: operation is 0/);
  expect(await failure(set.contains({ key: 's' }))).toMatch(/^InvalidArgument: members has 0/);
  expect(await failure(sorted.add({ key: 'z', members: [{ member: bytes('a'), score: NaN }] }))).toMatch(
    /^InvalidArgument: members\[0\]\.score is NaN/,
  );
  expect(await failure(sorted.removeRange({ key: 'z' }))).toMatch(/^InvalidArgument: range has no bounds/);
  expect(await failure(sorted.range({ key: 'z', countOnly: true, limit: 1 }))).toMatch(
    /^InvalidArgument: count_only/,
  );
  expect(await failure(sketch.bloomCreate({ key: 'f', errorRate: 1 }))).toMatch(
    /^InvalidArgument: error_rate is 1/,
  );
  const within = kv.txn({ failure: [{ operation: { case: 'listPop', value: { key: 'l', limit: -1n } } }] });
  expect(await failure(within)).toMatch(/^InvalidArgument: failure\[0\]\.list_pop\.limit is -1/);
  const both = hash.get({ key: 'h', refreshTtl: true, revision: 1n });
  expect(await failure(both)).toMatch(/^InvalidArgument: refreshTtl is a write/);
  await kv.put({ key: 'plain', value: bytes('x') });
  const calls = [
    hash.get({ key: 'plain' }),
    list.range({ key: 'plain' }),
    set.scan({ key: 'plain' }),
    sorted.rank({ key: 'plain', member: bytes('a') }),
    sketch.hllAdd({ key: 'plain', elements: [] }),
    sketch.bloomAdd({ key: 'plain', elements: [bytes('a')] }),
    list.push({ key: 'plain', elements: [bytes('a')] }),
  ];
  for (const failed of await Promise.all(calls.map(failure))) expect(failed).toMatch(/^FailedPrecondition/);
});

test('a time to live is given at creation, kept by changes, and begins anew with refresh_ttl', async () => {
  const { hash, set, kv } = await clients();
  const expiry = async (key: string): Promise<number> => {
    const { entry } = await kv.get({ key });
    return entry?.expireTime === undefined ? 0 : timestampMs(entry.expireTime);
  };
  await hash.set({ key: 'h', fields: [field('a', '1')], ttl: durationFromMs(3_600_000) });
  const first = await expiry('h');
  expect(first).toBeGreaterThan(0);
  await hash.set({ key: 'h', fields: [field('b', '1')], ttl: durationFromMs(1_000) });
  expect(await expiry('h')).toBe(first);
  const { revision, count } = await hash.get({ key: 'h', refreshTtl: true });
  expect([revision, count]).toEqual([3n, 2n]);
  expect(await expiry('h')).toBeGreaterThanOrEqual(first);
  await set.add({ key: 's', members: [bytes('a')] });
  expect((await set.contains({ key: 's', members: [bytes('a')], refreshTtl: true })).revision).toBe(4n);
  expect(await expiry('s')).toBe(0);
});
