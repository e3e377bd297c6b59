/** Namespaces over a real server: keys without their prefix, values by a codec. */
import { create } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { EntrySchema } from '../../../gen/kelp/v1/types_pb.ts';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { type StandardSchema, json, text } from '../../../src/client/namespace/codec.ts';
import { protobuf } from '../../../src/client/namespace/protobuf-codec.ts';
import { CodecError } from '../../../src/client/namespace/given-codec.ts';
import { KEPT_HISTORY_FLAGS } from '../../support/test-engine.ts';
import { startTestServer } from '../../support/test-server.ts';
import { failureOf } from '../support/fake-server.ts';

interface User {
  readonly name: string;
  readonly age?: number;
}

/** As a library of schemas makes one. */
const user: StandardSchema<User> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { name, age } = value as User;
      if (typeof name !== 'string') return { issues: [{ message: 'must be text', path: ['name'] }] };
      return { value: { name, age: age ?? 18 } };
    },
  },
};

let client: KelpClient;

beforeEach(async () => {
  const server = await startTestServer({ flags: KEPT_HISTORY_FLAGS });
  client = createClient({ address: server.address });
  onTestFinished(() => client.close());
  // Neighbours that nothing of a namespace may show or touch.
  for (const key of ['users', 'users.', 'users0', 'v']) await client.put(key, 'other');
});

test('keys and values go there and back', async () => {
  const users = client.namespace('users/', { codec: json<User>() });
  const { revision } = await users.put('ada', { name: 'Ada', age: 36 });
  expect((await client.get('users/ada')).entry?.text()).toBe('{"name":"Ada","age":36}');
  const { entry } = await users.get('ada');
  expect(entry?.key).toBe('ada');
  expect(entry?.value.age).toBe(36);
  expect(entry).toMatchObject({ modRevision: revision, raw: { key: 'users/ada', version: 1 } });
  expect((await users.get('bob')).entry).toBeUndefined();
  const { previous } = await users.put('ada', { name: 'Ada L.' }, { returnPrevious: true });
  expect(previous?.value.name).toBe('Ada');
  const stale = users.put(
    'ada',
    { name: 'x' },
    { condition: { kind: 'modRevisionEquals', modRevision: revision } },
  );
  expect(await failureOf(stale)).toMatchObject({ code: 'conditionFailed' });
  expect((await users.exists(['ada', 'bob'])).exists).toEqual([true, false]);
  expect((await users.delete('ada', { returnPrevious: true })).previous?.value.name).toBe('Ada L.');
});

test('lists and deletes its own alone', async () => {
  const users = client.namespace('users/', { codec: text });
  for (const key of ['', 'a', 'b', 'c/1', Uint8Array.of(0xff)]) await users.put(key, 'v');
  const keys = async (...args: Parameters<typeof users.scan>): Promise<unknown[]> =>
    (await users.scan(...args).toArray()).map(({ key, keyBytes }) => keyBytes ?? key);
  const last = new Uint8Array([0xff]);
  expect(await keys()).toEqual(['', 'a', 'b', 'c/1', last]);
  expect(await keys({ prefix: 'c/' })).toEqual(['c/1']);
  expect(await keys({ start: 'b' })).toEqual(['b', 'c/1', last]);
  expect(await keys({ start: 'a', end: 'c' })).toEqual(['a', 'b']);
  expect(await keys({ end: 'b' })).toEqual(['', 'a']);
  expect(await keys({}, { reverse: true, limit: 2 })).toEqual([last, 'c/1']);
  expect(await users.keys('[ab]').toArray()).toEqual(['a', 'b']);
  expect(await users.keys().toArray()).toHaveLength(5);
  expect((await users.count()).count).toBe(5);
  expect((await users.count({ key: 'a' })).count).toBe(1);
  expect(await failureOf(users.deleteRange({}))).toMatchObject({ code: 'invalidArgument' });
  expect(await failureOf(users.count({ key: 'a', prefix: 'b' }))).toMatchObject({ code: 'invalidArgument' });
  expect((await users.deleteRange({ prefix: 'c' })).deletedCount).toBe(1);
  expect((await users.deleteRange({ all: true })).deletedCount).toBe(4);
  expect((await client.count()).count).toBe(4);
});

test('a prefix that looks like a glob is none', async () => {
  const odd = client.namespace('a*[b]?\\/', { codec: text });
  await odd.put('k', 'v');
  await client.put('axb', 'other');
  expect(await odd.keys('?').toArray()).toEqual(['k']);
});

test('one lies in another', async () => {
  const inner = client.namespace('a/').namespace('b/', { codec: text });
  expect(inner.prefix).toBe('a/b/');
  await inner.put('c', 'v');
  expect((await client.get('a/b/c')).entry?.text()).toBe('v');
  expect((await client.namespace('a/').get('b/c')).entry?.value).toEqual(new Uint8Array([0x76]));
});

test('transactions are about its keys', async () => {
  const users = client.namespace('users/', { codec: json<User>() });
  await users.put('ada', { name: 'Ada' });
  const { succeeded, results } = await users.txn({
    compares: [
      { subject: { key: 'ada' }, relation: 'equal', operand: { kind: 'exists', value: true } },
      { subject: { range: { prefix: 'z' } }, relation: 'equal', operand: { kind: 'exists', value: false } },
    ],
    success: [
      { kind: 'get', key: 'ada' },
      { kind: 'put', key: 'bob', value: { name: 'Bob' } },
      { kind: 'increment', key: 'count', delta: 2 },
      { kind: 'deleteRange', range: { prefix: 'a' } },
    ],
  });
  expect(succeeded).toBe(true);
  expect(results[0]).toMatchObject({ kind: 'get', entry: { key: 'ada', value: { name: 'Ada' } } });
  expect(results.slice(1)).toEqual([
    { kind: 'put', previous: undefined },
    { kind: 'increment', value: 2n },
    { kind: 'deleteRange', deletedCount: 1 },
  ]);
  expect(await client.keys('users/*').toArray()).toEqual(['users/bob', 'users/count']);
  expect((await users.increment('count')).value).toBe(3n);
  const wrong = { success: [{ kind: 'hashGet', key: 'a' }] } as never;
  expect(await failureOf(users.txn(wrong))).toMatchObject({ code: 'invalidArgument' });
});

test('watches and mirrors show typed values', async () => {
  const users = client.namespace('users/', { codec: json<User>() });
  const { revision: first } = await users.put('ada', { name: 'Ada' });
  const mirror = await users.mirror();
  const changes = mirror.changes();
  const seen: string[] = [];
  const watch = users.watch({ startRevision: first, returnPrevious: true });
  await client.put('users0', 'other');
  await users.put('bob', { name: 'Bob' });
  const { revision } = await users.delete('ada');
  for await (const message of watch) {
    if (message.kind !== 'events') continue;
    for (const event of message.events) {
      seen.push(event.type === 'delete' ? `-${event.key}` : `+${event.entry.key} ${event.entry.value.name}`);
    }
    if (message.revision === revision) break;
  }
  expect(seen).toEqual(['+ada Ada', '+bob Bob', '-ada']);
  for await (const message of users.watch({ includeCurrent: true })) {
    if (message.kind === 'synced') break;
    if (message.kind === 'current')
      seen.push(...message.entries.map(({ key, value }) => `${key} ${value.name}`));
  }
  expect(seen.slice(3)).toEqual(['bob Bob']);
  await mirror.waitFor(revision);
  expect([...mirror].map(({ key, value }) => [key, value.name])).toEqual([['bob', 'Bob']]);
  const bob = mirror.get('bob');
  expect(bob?.value).toEqual({ name: 'Bob' });
  // Decoded once.
  expect(mirror.get('bob')?.value).toBe(bob?.value);
  expect([...mirror.entries({ prefix: 'a' })]).toEqual([]);
  expect(mirror.has('ada')).toBe(false);
  await changes.next();
  const { value } = await changes.next();
  expect(value).toMatchObject({
    events: [{ type: 'delete', key: 'ada', previous: { value: { name: 'Ada' } } }],
  });
});

describe('codecs', () => {
  test('a value that is something else is in no other way', async () => {
    const users = client.namespace('users/', { codec: json<User>() });
    await users.put('ada', { name: 'Ada' });
    await client.put('users/bob', 'no JSON');
    const [ada, bob] = await users.scan().toArray();
    expect(ada?.value.name).toBe('Ada');
    expect(bob?.raw.text()).toBe('no JSON');
    expect(() => bob?.value).toThrow(CodecError);
    expect(() => bob?.value).toThrow(/the value of the key "users\/bob" can't be read by its codec: /);
  });

  test('a schema validates what is written, and what is read', async () => {
    const users = client.namespace('users/', { codec: json(user) });
    const refused = users.put('ada', { name: 5 } as never);
    expect(await failureOf(refused)).toMatchObject({
      code: 'invalidArgument',
      message: "the codec can't write the value: name: must be text",
    });
    await users.put('ada', { name: 'Ada' });
    expect((await users.get('ada')).entry?.value).toEqual({ name: 'Ada', age: 18 });
    await client.put('users/bob', '{"name":5}');
    const { entry } = await users.get('bob');
    expect(() => entry?.value).toThrow(/name: must be text/);
  });

  test('a schema that takes its time is refused', async () => {
    const slow = {
      '~standard': { version: 1, vendor: 'test', validate: async (value: unknown) => ({ value }) },
    } as const;
    const users = client.namespace('users/', { codec: json(slow) });
    expect(await failureOf(users.put('a', 1))).toMatchObject({
      message: expect.stringMatching(/promise/) as string,
    });
  });

  test('messages of Protobuf', async () => {
    const entries = client.namespace('e/', { codec: protobuf(EntrySchema) });
    await entries.put('a', { key: 'k', version: 7n });
    expect((await entries.get('a')).entry?.value).toEqual(create(EntrySchema, { key: 'k', version: 7n }));
  });

  test('what can not be written is refused', async () => {
    const anything = client.namespace('a/', { codec: json<unknown>() });
    for (const value of [undefined, 1n, () => 1]) {
      expect(await failureOf(anything.put('k', value))).toMatchObject({ code: 'invalidArgument' });
    }
    expect(() => client.namespace('')).toThrow(/not empty/);
    expect(() => client.namespace('a', { codec: {} as never })).toThrow(/codec has no function "encode"/);
    expect(() => client.namespace('a', { codek: text } as never)).toThrow(/codek/);
  });
});
