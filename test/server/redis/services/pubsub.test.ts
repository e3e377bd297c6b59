import { describe, expect, test } from 'vitest';
import { ALL_KEYS, allRights, rightsOf, type Rights } from '../../../../src/access/rights/rights.ts';
import { serverFixed } from '../../../../src/limits.ts';
import { pubSubCommands } from '../../../../src/server/redis/commands/families/connection/pubsub.ts';
import { checkCall } from '../../../../src/server/redis/connection/key-access.ts';
import { PlacedArguments } from '../../../../src/server/redis/protocol/placed-arguments.ts';
import { bytesOf } from '../../../store/seam/seam-harness.ts';
import { DoorHarness, type TestSession } from './door-harness.ts';

describe('subscriptions', () => {
  test('are told with their count, channels and patterns together, shard channels alone', async () => {
    const door = await DoorHarness.open();
    const client = door.session();
    expect(await door.run(client, 'SUBSCRIBE', 'a', 'b', 'a')).toEqual([
      '["subscribe", "a", 1]',
      '["subscribe", "b", 2]',
      '["subscribe", "a", 2]',
    ]);
    expect(await door.run(client, 'PSUBSCRIBE', 'a*')).toEqual(['["psubscribe", "a*", 3]']);
    expect(await door.run(client, 'SSUBSCRIBE', 's')).toEqual(['["ssubscribe", "s", 1]']);
    expect(client.subscriptionCounts).toEqual({ channels: 2, patterns: 1, shardChannels: 1 });
    expect(await door.run(client, 'UNSUBSCRIBE')).toEqual([
      '["unsubscribe", "a", 2]',
      '["unsubscribe", "b", 1]',
    ]);
    expect(await door.run(client, 'UNSUBSCRIBE')).toEqual(['["unsubscribe", (nil), 1]']);
    expect(await door.run(client, 'PUNSUBSCRIBE', 'x')).toEqual(['["punsubscribe", "x", 1]']);
    expect(await door.run(client, 'SUNSUBSCRIBE')).toEqual(['["sunsubscribe", "s", 0]']);
  });

  test('are pushes in RESP3', async () => {
    const door = await DoorHarness.open();
    const client = door.session(3);
    expect(await door.run(client, 'SUBSCRIBE', 'a')).toEqual(['>["subscribe", "a", 1]']);
    await door.run(door.session(), 'PUBLISH', 'a', 'hello');
    expect(client.pushed()).toEqual(['>["message", "a", "hello"]']);
  });

  test('a client has no more than its limit, and a call beyond it changes nothing', async () => {
    const door = await DoorHarness.open();
    const client = door.session();
    const names = Array.from({ length: serverFixed.redisSubscriptionsMax }, (_, index) => `c${index}`);
    await door.run(client, 'SUBSCRIBE', ...names);
    expect((await door.run(client, 'SUBSCRIBE', 'x', 'y'))[0]).toMatch(/^-ERR too many subscriptions/);
    expect(client.subscriptionCounts.channels).toBe(names.length);
  });

  test('PUBSUB tells what is listened to', async () => {
    const door = await DoorHarness.open();
    const [one, two] = [door.session(), door.session()];
    await door.run(one, 'SUBSCRIBE', 'news.a', 'news.b');
    await door.run(two, 'SUBSCRIBE', 'news.a', 'other');
    await door.run(two, 'PSUBSCRIBE', 'n*', 'o*');
    await door.run(one, 'PSUBSCRIBE', 'n*');
    await door.run(one, 'SSUBSCRIBE', 'shard');
    expect(await door.run(one, 'PUBSUB', 'CHANNELS')).toEqual(['["news.a", "news.b", "other"]']);
    expect(await door.run(one, 'PUBSUB', 'CHANNELS', 'news.*')).toEqual(['["news.a", "news.b"]']);
    expect(await door.run(one, 'PUBSUB', 'NUMSUB', 'news.a', 'none')).toEqual(['["news.a", 2, "none", 0]']);
    expect(await door.run(one, 'PUBSUB', 'NUMPAT')).toEqual(['2']);
    expect(await door.run(one, 'PUBSUB', 'SHARDCHANNELS')).toEqual(['["shard"]']);
    expect(await door.run(one, 'PUBSUB', 'SHARDNUMSUB', 'shard')).toEqual(['["shard", 1]']);
    two.kill('now');
    expect(await door.run(one, 'PUBSUB', 'NUMSUB', 'news.a')).toEqual(['["news.a", 1]']);
    expect(await door.run(one, 'PUBSUB', 'CHANNELS', 'o*')).toEqual(['[]']);
  });
});

describe('a message', () => {
  test('goes to those of its channel and of each pattern that it matches, which all count', async () => {
    const door = await DoorHarness.open();
    const [one, two, publisher] = [door.session(), door.session(), door.session()];
    await door.run(one, 'SUBSCRIBE', 'news');
    await door.run(one, 'PSUBSCRIBE', 'n*', '*s', 'x*');
    await door.run(two, 'PSUBSCRIBE', 'n[e]ws');
    expect(await door.run(publisher, 'PUBLISH', 'news', Uint8Array.of(0, 255))).toEqual(['4']);
    expect(one.pushed()).toEqual([
      '["message", "news", "\\u0000ÿ"]',
      '["pmessage", "n*", "news", "\\u0000ÿ"]',
      '["pmessage", "*s", "news", "\\u0000ÿ"]',
    ]);
    expect(two.pushed()).toEqual(['["pmessage", "n[e]ws", "news", "\\u0000ÿ"]']);
    expect(await door.run(publisher, 'SPUBLISH', 'news', 'x')).toEqual(['0']);
  });

  test('of a shard channel goes to those of it alone', async () => {
    const door = await DoorHarness.open();
    const [client, publisher] = [door.session(), door.session()];
    await door.run(client, 'SSUBSCRIBE', 'a');
    await door.run(client, 'PSUBSCRIBE', '*');
    expect(await door.run(publisher, 'SPUBLISH', 'a', 'x')).toEqual(['1']);
    expect(client.pushed()).toEqual(['["smessage", "a", "x"]']);
  });

  test('waits until what was decided before it is durable', async () => {
    const door = await DoorHarness.open();
    const { store, flushes } = door.seam;
    const [client, publisher, late] = [door.session(), door.session(), door.session()];
    await door.run(client, 'SUBSCRIBE', 'c');
    flushes.hold();
    store.decide((view) => view.put(bytesOf('k'), bytesOf('new')));
    expect(await door.run(publisher, 'PUBLISH', 'c', 'k has changed')).toEqual(['1']);
    await door.run(late, 'SUBSCRIBE', 'c');
    expect(client.pushed()).toEqual([]);
    const told = store.whenDurable(undefined, false);
    flushes.release();
    await told;
    expect(client.pushed()).toEqual(['["message", "c", "k has changed"]']);
    expect(store.readVisible((view) => view.read(bytesOf('k')))?.value).toEqual(bytesOf('new'));
    // It was published before this one listened.
    expect(late.pushed()).toEqual([]);
  });

  test('keeps its place among others that wait', async () => {
    const door = await DoorHarness.open();
    const { store, flushes } = door.seam;
    const [client, publisher] = [door.session(), door.session()];
    await door.run(client, 'SUBSCRIBE', 'c');
    flushes.hold();
    store.decide((view) => view.put(bytesOf('a'), bytesOf('1')));
    await door.run(publisher, 'PUBLISH', 'c', '1');
    publisher.isInTransaction = true;
    await door.run(publisher, 'PUBLISH', 'c', '2');
    publisher.isInTransaction = false;
    store.decide((view) => view.put(bytesOf('a'), bytesOf('2')));
    await door.run(publisher, 'PUBLISH', 'c', '3');
    flushes.release();
    await door.seam.durable();
    expect(client.pushed()).toEqual(['1', '2', '3'].map((text) => `["message", "c", "${text}"]`));
  });

  test('breaks off a client that does not read', async () => {
    const door = await DoorHarness.open();
    const [slow, publisher] = [door.session(), door.session()];
    await door.run(slow, 'SUBSCRIBE', 'c');
    slow.figures.outputBytes = serverFixed.redisPubsubUnsentBytesMax + 1;
    await door.run(publisher, 'PUBLISH', 'c', 'x');
    expect(slow.killed).toBe('now');
    expect(await door.run(publisher, 'PUBLISH', 'c', 'x')).toEqual(['0']);
  });
});

describe('keyspace events', () => {
  async function listening(
    classes: string,
  ): Promise<{ door: DoorHarness; client: TestSession; pushed: () => Promise<string[]> }> {
    const door = await DoorHarness.open();
    const client = door.session();
    await door.run(client, 'CONFIG', 'SET', 'notify-keyspace-events', classes);
    await door.run(client, 'PSUBSCRIBE', '__key*__:*');
    const pushed = async (): Promise<string[]> => {
      await door.seam.durable();
      return client.pushed().map((text) => text.replace('["pmessage", "__key*__:*", ', '').slice(0, -1));
    };
    return { door, client, pushed };
  }

  test('of other doors are told by what has become of the key', async () => {
    const { door, pushed } = await listening('KEA');
    const { store, clock } = door.seam;
    store.decide((view) => view.put(bytesOf('k'), bytesOf('1')));
    expect(await pushed()).toEqual(['"__keyspace@0__:k", "set"', '"__keyevent@0__:set", "k"']);
    store.decide((view) => view.put(bytesOf('k'), bytesOf('1'), { ttlMs: 1000 }));
    store.decide((view) => void view.touch(bytesOf('k'), 0));
    store.decide((view) => void view.delete(bytesOf('k')));
    const names = (await pushed()).filter((text) => text.includes('keyevent'));
    expect(names).toEqual(['set', 'expire', 'persist', 'del'].map((name) => `"__keyevent@0__:${name}", "k"`));
    store.decide((view) => view.put(bytesOf('k'), bytesOf('1'), { ttlMs: 1000 }));
    await pushed();
    clock.advance(2000);
    store.decide((view) => view.put(bytesOf('k'), bytesOf('2')));
    store.decide((view) => void view.delete(bytesOf('k'), 'evicted'));
    expect((await pushed()).filter((text) => text.includes('keyevent'))).toEqual([
      '"__keyevent@0__:expired", "k"',
      '"__keyevent@0__:set", "k"',
      '"__keyevent@0__:evicted", "k"',
    ]);
  });

  test('that a command has noted come in the place of those', async () => {
    const { door, pushed } = await listening('Eghn');
    const { store } = door.seam;
    const { sequence } = store.decide((view) => {
      view.put(bytesOf('h'), bytesOf('1'));
      view.delete(bytesOf('old'));
    });
    const event = (name: string, key: string) =>
      ({ eventClass: name === 'hset' ? 'h' : '$', event: name, key: bytesOf(key) }) as const;
    door.hooks.events?.([event('hset', 'h'), event('append', 'h')], sequence, true);
    // A class that is not wanted is left out.
    expect(await pushed()).toEqual(['"__keyevent@0__:new", "h"', '"__keyevent@0__:hset", "h"']);
  });

  test('of a decision that leaves all as it was come at once when all before it is durable, and behind that', async () => {
    const { door, client, pushed } = await listening('Eg$');
    const { store, flushes } = door.seam;
    const events = [
      { eventClass: '$', event: 'set', key: bytesOf('m') },
      { eventClass: 'g', event: 'del', key: bytesOf('m') },
    ] as const;
    const unchanging = (): void => {
      const { sequence, hasChanged } = store.decide((view) => {
        view.put(bytesOf('m'), bytesOf('1'));
        view.delete(bytesOf('m'));
      });
      expect(hasChanged).toBe(false);
      door.hooks.events?.(events, sequence, hasChanged);
    };
    const told = ['"__keyevent@0__:set", "m"', '"__keyevent@0__:del", "m"'];
    unchanging();
    expect(await pushed()).toEqual(told);

    flushes.hold();
    // Of another door: what it does has the sequence that the next one tells.
    store.decide((view) => view.put(bytesOf('a'), bytesOf('1')));
    unchanging();
    unchanging();
    await door.seam.clock.settled();
    expect(client.pushed()).toEqual([]);
    flushes.release();
    expect(await pushed()).toEqual(['"__keyevent@0__:set", "a"', ...told, ...told]);
  });

  test('stand in order with messages that are published', async () => {
    const { door, pushed } = await listening('E$');
    const { store } = door.seam;
    const publisher = door.session();
    await door.run(publisher, 'PSUBSCRIBE', 'nothing');
    store.decide((view) => view.put(bytesOf('a'), bytesOf('1')));
    await door.run(publisher, 'PUBLISH', '__keyx__:', 'between');
    store.decide((view) => view.put(bytesOf('b'), bytesOf('1')));
    expect(await pushed()).toEqual([
      '"__keyevent@0__:set", "a"',
      '"__keyx__:", "between"',
      '"__keyevent@0__:set", "b"',
    ]);
  });

  test('are listened for only while they are wanted', async () => {
    const { door, pushed } = await listening('KEA');
    expect(door.hooks.events).toBeDefined();
    await door.run(door.session(), 'CONFIG', 'SET', 'notify-keyspace-events', '');
    expect(door.hooks.events).toBeUndefined();
    door.seam.store.decide((view) => view.put(bytesOf('k'), bytesOf('1')));
    expect(await pushed()).toEqual([]);
  });
});

describe('channels of keyspace events', () => {
  const mayNot = rightsOf([]);
  const mayRead: Rights = { ...mayNot, read: ALL_KEYS };

  test.each([
    ['subscribe', ['news', '__keyspace@0__:a'], true],
    ['subscribe', ['__keyevent@0__:set'], true],
    ['subscribe', ['__keyx', '__keyspace'], false],
    ['ssubscribe', ['__keyspace@0__:a'], false],
    ['psubscribe', ['news.*', '__key*'], true],
    ['psubscribe', ['_*'], true],
    ['psubscribe', ['__keyspace@0__:user:*'], true],
    ['psubscribe', ['__keyx*', '*', 'n?ws'], false],
  ] as const)('%s %j', (name, channels, isRefused) => {
    const args = new PlacedArguments();
    args.takeWords([name, ...channels].map(bytesOf));
    const facts = pubSubCommands.find((one) => one.name === name);
    const check = (rights: Rights) => (): void => {
      if (facts !== undefined) checkCall(rights, facts, args);
    };
    if (isRefused) expect(check(mayNot)).toThrow(/^NOPERM .* channels/);
    else expect(check(mayNot)).not.toThrow();
    expect(check(mayRead)).not.toThrow();
    expect(check(allRights)).not.toThrow();
  });

  test('tell those alone who may read all keys, as long as they may', async () => {
    const door = await DoorHarness.open();
    const [all, some] = [door.session(), door.session()];
    await door.run(all, 'CONFIG', 'SET', 'notify-keyspace-events', 'KA');
    await door.run(all, 'PSUBSCRIBE', '*');
    await door.run(all, 'SUBSCRIBE', '__keyspace@0__:k');
    await door.run(some, 'PSUBSCRIBE', '*');
    some.mayReadAllKeys = false;
    door.seam.store.decide((view) => view.put(bytesOf('k'), bytesOf('1')));
    await door.run(all, 'PUBLISH', 'news', 'x');
    await door.seam.durable();
    expect(some.pushed()).toEqual(['["pmessage", "*", "news", "x"]']);
    expect(all.pushed()).toHaveLength(3);
    expect(await door.run(some, 'PUBSUB', 'CHANNELS')).toEqual(['[]']);
    expect(await door.run(all, 'PUBSUB', 'CHANNELS')).toEqual(['["__keyspace@0__:k"]']);
  });
});
