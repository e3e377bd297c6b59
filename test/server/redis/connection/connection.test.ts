/** Connections without sockets: the order of replies, what they wait for, long replies, waits and transactions. */
import { describe, expect, it } from 'vitest';
import type { Login } from '../../../../src/access/login/login.ts';
import { allRights, rightsOf, type Rights } from '../../../../src/access/rights/rights.ts';
import { fixed, serverFixed } from '../../../../src/limits.ts';
import { type Command, holding, type Slice } from '../../../../src/server/redis/commands/command.ts';
import { syntaxError } from '../../../../src/server/redis/replies/errors.ts';
import type { SessionCommand } from '../../../../src/server/redis/commands/session-command.ts';
import { budgetSpent } from '../../../../src/store/views/draft.ts';
import { kinds } from '../../../../src/store/collections/kinds.ts';
import { DoorHarness, type TestClient } from '../support/door-harness.ts';
import { echoCommands } from '../support/echo-commands.ts';

const open = (options = {}): Promise<DoorHarness> => DoorHarness.open({ rows: echoCommands, ...options });

describe('a pipeline', () => {
  it('is answered in its order, each command seeing what those before it wrote', async () => {
    const harness = await open();
    const client = harness.connect();
    client.pipeline(['SET', 'a', '1'], ['GET', 'a'], ['PING'], ['NONE'], ['SET', 'a', '2'], ['GET', 'a']);
    expect(client.raw()).toBe('');
    await harness.settled();
    expect(client.raw()).toBe(
      "+OK\r\n$1\r\n1\r\n+PONG\r\n-ERR unknown command 'NONE', with args beginning with: \r\n+OK\r\n$1\r\n2\r\n",
    );
    expect(client.wire.written.length).toBe(0);
  });

  it('waits for its flush, errors and failed conditions too, while reads of what is durable go out at once', async () => {
    const harness = await open();
    const { flushes } = harness.seam;
    const [writer, reader] = [harness.connect(), harness.connect()];
    writer.send('SET', 'a', 'old');
    await harness.settled();
    writer.raw();
    flushes.hold();
    writer.pipeline(['SET', 'a', 'new'], ['GET', 'a'], ['INCRBYARRAY', 'n', 'x'], ['PING']);
    reader.send('GET', 'a');
    expect(reader.replies()).toEqual(['old']);
    // A rank is one of the newest state, which is not durable.
    reader.send('RANKOF', 'b');
    await harness.seam.clock.settled();
    expect([writer.raw(), reader.raw()]).toEqual(['', '']);
    // What follows is behind it, whatever it is.
    reader.send('PING');
    expect(reader.raw()).toBe('');
    flushes.release();
    await harness.settled();
    expect(writer.raw()).toBe(
      '+OK\r\n$3\r\nnew\r\n-ERR value is not an integer or out of range\r\n+PONG\r\n',
    );
    expect(reader.raw()).toBe(':1\r\n+PONG\r\n');
    reader.send('GET', 'a');
    expect(reader.replies()).toEqual(['new']);
  });

  it('yields to others when it has done its part of a turn, and goes on', async () => {
    const harness = await open({ fsync: 'never' });
    const [busy, other] = [harness.connect(), harness.connect()];
    const count = 40_000;
    busy.pipeline(...Array.from({ length: count }, () => ['GET', 'a']));
    const before = busy.replies().length;
    expect(before).toBeLessThan(count);
    expect(busy.wire.isPaused).toBe(true);
    other.send('PING');
    await harness.settled();
    expect(other.raw()).toBe('+PONG\r\n');
    for (let rest = count - before; rest > 0;) {
      rest -= busy.replies().length;
      await harness.seam.clock.settled();
    }
    expect(busy.wire.isPaused).toBe(false);
    busy.send('PING');
    expect(busy.raw()).toBe('+PONG\r\n');
  });

  it('waits when the log has no room, and is never refused', async () => {
    const limits = { unflushedBytesMax: 1024 * 1024, txnBytesMax: 1024 * 1024, valueBytesMax: 512 * 1024 };
    const harness = await open({ limits });
    const client = harness.connect();
    const value = Buffer.alloc(100_000, 'v');
    harness.seam.flushes.hold();
    client.pipeline(...Array.from({ length: 40 }, (_, index) => ['SET', `key:${index}`, value]), [
      'GET',
      'key:39',
    ]);
    await harness.seam.clock.settled();
    expect(client.raw()).toBe('');
    expect(client.wire.isPaused).toBe(true);
    harness.seam.flushes.release();
    for (let seen = 0; seen < 41;) {
      await harness.settled();
      const replies = client.replies();
      seen += replies.length;
      for (const reply of replies) expect(reply).not.toHaveProperty('text', expect.stringContaining('ERR'));
    }
  });
});

describe('a client that ends its side', () => {
  it('gets the replies to all that it has sent', async () => {
    const harness = await open();
    const client = harness.connect();
    harness.seam.flushes.hold();
    client.pipeline(['SET', 'a', 'b'], ['COUNTDOWN', '5'], ['GET', 'a']);
    client.connection.ended();
    await harness.seam.clock.settled();
    expect([client.raw(), client.wire.isEnded]).toEqual(['', false]);
    harness.seam.flushes.release();
    for (let turn = 0; turn < 6; turn++) await harness.settled();
    expect(client.replies().slice(1)).toEqual([[5, 4, 3, 2, 1], 'b']);
    expect(client.wire.isEnded).toBe(true);
  });

  it('does not wait for a key any more', async () => {
    const harness = await open();
    const client = harness.connect();
    client.send('TAKELETTER', 'row', '0');
    client.connection.ended();
    expect(client.wire.isDestroyed).toBe(true);
    await harness.seam.decide((view) => view.put(Buffer.from('row'), Buffer.from('q')));
    expect(harness.seam.store.visibleRevision).toBe(1);
  });
});

describe('a long reply', () => {
  it('is made of one state in several turns, while others are served and its own connection waits', async () => {
    const harness = await open();
    const [long, other] = [harness.connect(), harness.connect()];
    long.pipeline(['SET', 'a', '1'], ['COUNTDOWN', '10'], ['GET', 'a']);
    other.send('PING');
    expect(other.raw()).toBe('+PONG\r\n');
    for (let turn = 0; turn < 10; turn++) await harness.settled();
    expect(long.replies().slice(1)).toEqual([[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], '1']);
  });

  it('waits for a client that does not read', async () => {
    const harness = await open();
    const client = harness.connect();
    client.wire.isRead = false;
    client.send('SET', 'a', Buffer.alloc(900_000));
    await harness.settled();
    client.pipeline(['GET', 'a'], ['GET', 'a'], ['GET', 'a']);
    client.send('COUNTDOWN', '9');
    await harness.settled();
    expect(client.wire.isPaused).toBe(true);
    client.drain();
    await harness.settled();
    client.raw();
    client.send('PING');
    expect(client.wire.isPaused).toBe(false);
    expect(client.raw()).toBe('+PONG\r\n');
  });
});

describe('a client that does not read', () => {
  it('is not read from any more, and cut after a while', async () => {
    const harness = await open();
    const [deaf, other] = [harness.connect(), harness.connect()];
    other.send('SET', 'a', Buffer.alloc(serverFixed.redisUnreadBytesPaused));
    await harness.settled();
    deaf.wire.isRead = false;
    deaf.pipeline(['GET', 'a'], ['GET', 'a']);
    expect(deaf.wire.isPaused).toBe(true);
    await harness.seam.clock.pass(serverFixed.redisUnreadMs + 2000);
    expect(deaf.wire.isDestroyed).toBe(true);
    other.raw();
    other.send('PING');
    expect(other.raw()).toBe('+PONG\r\n');
    expect(harness.door.count).toBe(1);
  });

  it('is cut at once beyond what may wait for it', async () => {
    const harness = await open();
    const client = harness.connect();
    client.send('SET', 'a', Buffer.alloc(1_000_000));
    await harness.settled();
    client.wire.isRead = false;
    const calls = Math.ceil(serverFixed.redisUnreadBytesMax / 1_000_000) + 1;
    client.pipeline(...Array.from({ length: calls }, () => ['GET', 'a']));
    for (let turn = 0; turn < calls && !client.wire.isDestroyed; turn++) await harness.settled();
    expect(client.wire.isDestroyed || client.wire.writableLength <= serverFixed.redisUnreadBytesMax).toBe(
      true,
    );
  });
});

describe('a wait for a key', () => {
  it('ends with the first write, first come first served, each at the next revision', async () => {
    const harness = await open();
    const clients = [harness.connect(), harness.connect(), harness.connect()] as const;
    for (const client of clients) client.send('TAKELETTER', 'none', 'row', '0');
    const writer = harness.connect();
    writer.pipeline(['APPEND', 'row', 'xyz'], ['GET', 'row']);
    expect(clients[0].raw()).toBe('');
    await harness.settled();
    expect(clients.map((client) => client.raw())).toEqual(['$1\r\nz\r\n', '$1\r\ny\r\n', '$1\r\nx\r\n']);
    expect(writer.replies()).toEqual([3, null]);
    expect(harness.seam.store.visibleRevision).toBe(4);
    // They are as others again.
    clients[0].pipeline(['PING'], ['GET', 'row']);
    await harness.settled();
    expect(clients[0].replies()).toMatchObject([{ text: 'PONG' }, null]);
  });

  it('is answered at once where there is something, and in a transaction whether or not', async () => {
    const harness = await open();
    const client = harness.connect();
    client.pipeline(
      ['APPEND', 'row', 'ab'],
      ['TAKELETTER', 'row', '0'],
      ['MULTI'],
      ['TAKELETTER', 'other', '0'],
      ['EXEC'],
    );
    await harness.settled();
    expect(client.replies()).toMatchObject([2, 'b', { text: 'OK' }, { text: 'QUEUED' }, [null]]);
  });

  it('goes on at a value of another kind, and is not served by what is behind it in its own connection', async () => {
    const harness = await open();
    const client = harness.connect();
    client.pipeline(['TAKELETTER', 'row', '0'], ['APPEND', 'row', 'a']);
    await harness.seam.decide((view) => view.put(Buffer.from('row'), Buffer.from('h'), { kind: kinds.hash }));
    await harness.settled();
    expect(client.raw()).toBe('');
    await harness.seam.decide((view) => view.put(Buffer.from('row'), Buffer.from('q')));
    await harness.settled();
    expect(client.replies()).toEqual(['q', 1]);
  });

  it('ends with its time, by CLIENT UNBLOCK, and with its connection', async () => {
    const harness = await open();
    const [late, unblocked, gone] = [harness.connect(), harness.connect(), harness.connect()];
    late.send('TAKELETTER', 'row', '500');
    unblocked.send('TAKELETTER', 'row', '0');
    gone.send('TAKELETTER', 'row', '0');
    expect(gone.connection.isBlocked).toBe(true);
    gone.connection.close();
    await harness.seam.clock.pass(499);
    expect(late.raw()).toBe('');
    await harness.seam.clock.pass(1);
    await harness.settled();
    expect(late.raw()).toBe('$-1\r\n');
    expect(unblocked.connection.unblock(true)).toBe(true);
    expect(unblocked.connection.unblock(true)).toBe(false);
    await harness.settled();
    expect(unblocked.raw()).toBe('-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n');
    await harness.seam.decide((view) => view.put(Buffer.from('row'), Buffer.from('q')));
    await harness.settled();
    expect([late.raw(), unblocked.raw(), gone.raw()]).toEqual(['', '', '']);
    expect(harness.defects).toEqual([]);
  });
});

describe('a wait that would be served with more than a request may do', () => {
  it('ends with the error, and the one behind it is served', async () => {
    const takeLetter = echoCommands.find(({ name }) => name === 'takeletter');
    if (takeLetter === undefined || !('block' in takeLetter))
      throw new Error('there is no command that waits');
    const takeAll: Command = {
      ...takeLetter,
      name: 'takeall',
      block: (view, call) => {
        const waiting = takeLetter.block(view, call);
        if (waiting === undefined) view.budget.spendVisits(fixed.requestVisitsMax);
        if (view.budget.isSpent) throw budgetSpent(view.budget);
        return waiting;
      },
    };
    const harness = await open({ rows: [...echoCommands, takeAll] });
    const [greedy, modest] = [harness.connect(), harness.connect()];
    greedy.send('TAKEALL', 'row', '0');
    modest.send('TAKELETTER', 'row', '0');
    harness.seam.store.decide((view) => view.put(Buffer.from('row'), Buffer.from('pq')));
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    expect(greedy.connection.isBlocked).toBe(false);
    await harness.settled();
    expect(greedy.raw()).toMatch(/^-ERR the request looks at more than /);
    harness.seam.store.decide((view) => view.put(Buffer.from('row'), Buffer.from('pq')));
    await harness.settled();
    expect(modest.replies()).toEqual(['q']);
    expect(harness.defects).toEqual([]);
  });
});

describe('commands about the server within a transaction', () => {
  it('pay from its budget for what they write, and those beyond it are refused', async () => {
    const facts: SessionCommand = {
      name: 'facts',
      arity: 1,
      flags: [],
      categories: ['slow'],
      group: 'server',
      summary: 'For tests.',
      since: '1.0.0',
      complexity: 'O(1)',
      syntax: '',
      session: (_, { reply }) => reply.bulk(Buffer.alloc(64 * 1024)),
    };
    const harness = await open({ rows: [...echoCommands, facts] });
    const client = harness.connect();
    const allowed = Math.ceil(fixed.requestVisitsMax / 4097);
    client.pipeline(['MULTI'], ...Array.from({ length: allowed + 5 }, () => ['FACTS']), ['EXEC'], ['PING']);
    await harness.settled();
    const replies = client.replies();
    const row = replies[allowed + 6];
    if (!Array.isArray(row)) throw new Error('EXEC has no row');
    expect(row.filter((reply) => typeof reply === 'string').length).toBe(allowed);
    expect(row.length).toBe(allowed + 5);
    expect(replies.length).toBe(allowed + 8);
    expect(harness.defects).toEqual([]);
  });
});

describe('a long reply of the newest state', () => {
  it('is made at once where all of that is durable, and no write comes', async () => {
    const countdown = echoCommands.find(({ name }) => name === 'countdown');
    if (countdown === undefined || !('read' in countdown)) throw new Error('there is no long reply');
    const { read, ...facts } = countdown;
    const harness = await open({ rows: [...echoCommands, { ...facts, name: 'newest', newest: read }] });
    const client = harness.connect();
    client.pipeline(['NEWEST', '7'], ['PING']);
    await harness.settled();
    expect(client.raw()).toBe('*7\r\n:7\r\n:6\r\n:5\r\n:4\r\n:3\r\n:2\r\n:1\r\n+PONG\r\n');
    client.pipeline(['SET', 'a', '1'], ['NEWEST', '1'], ['PING']);
    await harness.settled();
    expect(client.raw()).toBe('+OK\r\n*1\r\n:1\r\n+PONG\r\n');
  });
});

describe('a long reply that fails in a later piece', () => {
  it('is an error in its place while none of it is sent, be it that the replies before it are', async () => {
    const countdown = echoCommands.find(({ name }) => name === 'countdown');
    if (countdown === undefined) throw new Error('there is no long reply');
    const harness = await open({
      rows: [
        ...echoCommands,
        {
          ...countdown,
          name: 'failing',
          read: () => () => () => {
            throw syntaxError();
          },
        },
      ],
    });
    const client = harness.connect();
    client.pipeline(['GET', 'a'], ['FAILING', '1'], ['GET', 'a']);
    for (let turn = 0; turn < 5; turn++) await harness.settled();
    expect(client.raw()).toBe('$-1\r\n-ERR syntax error\r\n$-1\r\n');
    expect(client.wire.isDestroyed).toBe(false);
  });
});

describe('a long reply that holds memory', () => {
  const TOO_MUCH =
    '-ERR the replies that clients wait for take too much memory; try again later, or ask for less\r\n';
  /** More than a client may leave unread before its replies wait. */
  const FIRST = Buffer.alloc(2 * serverFixed.redisUnreadBytesPaused);
  /** Two such have no room. */
  const heldBytes = (): number => 0.6 * serverFixed.redisHeldBytesMax;

  /** HOLD: holds from its first piece on; GATHER: from a later one on. Both write two elements. */
  const openHolding = (): Promise<DoorHarness> => {
    const countdown = echoCommands.find(({ name }) => name === 'countdown');
    if (countdown === undefined || !('read' in countdown)) throw new Error('there is no long reply');
    const end: Slice = (_, reply) => {
      reply.integer(2);
      return undefined;
    };
    const wait: Slice = () => end;
    const begin: Slice = (_, reply) => {
      reply.array(2);
      reply.bulk(FIRST);
      return wait;
    };
    holding(heldBytes, [begin, wait, end]);
    const gather: Slice = () => begin;
    return open({
      rows: [
        ...echoCommands,
        { ...countdown, name: 'hold', read: () => begin },
        { ...countdown, name: 'gather', read: () => gather },
      ],
    });
  };

  it.each(['HOLD', 'GATHER'])('is an error in its place while there is no room: %s', async (name) => {
    const harness = await openHolding();
    const slow = harness.connect();
    const other = harness.connect();
    slow.wire.isRead = false;
    slow.send(name, '1');
    for (let turn = 0; turn < 5; turn++) await harness.settled();
    other.pipeline(['GET', 'a'], [name, '1'], ['GET', 'a']);
    for (let turn = 0; turn < 5; turn++) await harness.settled();
    expect(other.raw()).toBe(`$-1\r\n${TOO_MUCH}$-1\r\n`);
    // What was refused holds nothing, and neither does what is over.
    slow.wire.writableLength = 0;
    slow.connection.drained();
    for (let turn = 0; turn < 5; turn++) await harness.settled();
    expect(slow.replies()).toEqual([[FIRST.toString('latin1'), 2]]);
    other.send(name, '1');
    for (let turn = 0; turn < 5; turn++) await harness.settled();
    expect(other.replies()).toEqual([[FIRST.toString('latin1'), 2]]);
    expect([slow.wire.isDestroyed, other.wire.isDestroyed]).toEqual([false, false]);
  });

  it('gives it back when its client goes', async () => {
    const harness = await openHolding();
    const slow = harness.connect();
    const other = harness.connect();
    slow.wire.isRead = false;
    slow.send('GATHER', '1');
    for (let turn = 0; turn < 5; turn++) await harness.settled();
    slow.connection.close();
    other.send('GATHER', '1');
    for (let turn = 0; turn < 5; turn++) await harness.settled();
    expect(other.replies()).toEqual([[FIRST.toString('latin1'), 2]]);
  });
});

describe('messages that come while a long reply is made', () => {
  it('cut off a client for which too many of them wait', async () => {
    const harness = await open();
    const client = harness.connect();
    client.send('COUNTDOWN', '100');
    const message = Buffer.alloc(1024 * 1024);
    const count = serverFixed.redisUnreadPushedBytesMax / message.length;
    for (let pushed = 0; pushed < count; pushed++) client.connection.push(message);
    expect(client.connection.figures.outputBytes).toBe(serverFixed.redisUnreadPushedBytesMax);
    client.connection.push(message);
    expect(client.wire.isDestroyed).toBe(false);
    client.connection.push(message);
    expect(client.wire.isDestroyed).toBe(true);
  });
});

describe('a wait of a user whose rights are taken away', () => {
  it('ends with an error when it would be served, and the next one is served', async () => {
    let rightsNow = (): Rights => allRights;
    const login: Login = {
      userName: 'ada',
      expireTimeMs: 0,
      get rights() {
        return rightsNow();
      },
    };
    const logins = { first: () => login, logIn: () => login, denied: () => undefined };
    const harness = await open({ logins });
    const client = harness.connect();
    const next = harness.connect();
    client.send('TAKELETTER', 'row', '0');
    next.send('TAKELETTER', 'row', '0');
    let asked = 0;
    // The first one that is tried may not, the next one may.
    rightsNow = () => (asked++ === 0 ? rightsOf([]) : allRights);
    await harness.seam.decide((view) => view.put(Buffer.from('row'), Buffer.from('q')));
    await harness.settled();
    expect(client.raw()).toMatch(/^-NOPERM /);
    expect(next.raw()).toBe('$1\r\nq\r\n');
    expect([client.connection.isBlocked, next.connection.isBlocked]).toEqual([false, false]);
    expect(harness.defects).toEqual([]);
  });
});

describe('a client that sends nothing', () => {
  it('is closed after the time that CONFIG gives, unless it waits for a key or for messages', async () => {
    const harness = await open();
    const [idle, busy, waiting, listening] = [
      harness.connect(),
      harness.connect(),
      harness.connect(),
      harness.connect(),
    ];
    waiting.send('TAKELETTER', 'row', '0');
    for (const client of [idle, busy, listening]) client.send('PING');
    listening.connection.subscriptionCounts.channels = 1;
    await harness.seam.clock.pass(100_000);
    harness.door.idleTimeoutSeconds = 30;
    busy.send('PING');
    await harness.seam.clock.pass(10_000);
    const closed = [idle, busy, waiting, listening].map((client) => client.wire.isDestroyed);
    expect(closed).toEqual([true, false, false, false]);
    await harness.seam.clock.pass(40_000);
    expect(busy.wire.isDestroyed).toBe(true);
  });
});

describe('a transaction', () => {
  it('runs as one, and one of its commands that fails undoes only what it has done itself', async () => {
    const harness = await open();
    const client = harness.connect();
    client.pipeline(
      ['MULTI'],
      ['SET', 'a', '1'],
      ['INCRBYARRAY', 'a', 'x'],
      ['PING'],
      ['GET', 'a'],
      ['EXEC'],
      ['GET', 'a'],
    );
    await harness.settled();
    const queued = { text: 'QUEUED' };
    expect(client.replies()).toMatchObject([
      { text: 'OK' },
      queued,
      queued,
      queued,
      queued,
      [{ text: 'OK' }, { text: 'ERR value is not an integer or out of range' }, { text: 'PONG' }, '1'],
      '1',
    ]);
    expect(harness.seam.store.visibleRevision).toBe(1);
  });

  it('is given up after a command that could not be queued', async () => {
    const harness = await open();
    const client = harness.connect();
    client.pipeline(
      ['MULTI'],
      ['NONE'],
      ['SET', 'a', '1'],
      ['EXEC'],
      ['EXEC'],
      ['DISCARD'],
      ['MULTI'],
      ['MULTI'],
      ['WATCH', 'a'],
      ['DISCARD'],
    );
    await harness.settled();
    expect(client.replies().slice(3)).toMatchObject([
      { text: 'EXECABORT Transaction discarded because of previous errors.' },
      { text: 'ERR EXEC without MULTI' },
      { text: 'ERR DISCARD without MULTI' },
      { text: 'OK' },
      { text: 'ERR MULTI calls can not be nested' },
      { text: 'ERR WATCH inside MULTI is not allowed' },
      { text: 'OK' },
    ]);
    expect(harness.seam.store.committedSequence).toBe(0);
  });

  it('does nothing when a key that is watched was changed, was made and deleted, or is past its deadline', async () => {
    const harness = await open();
    const { clock, store } = harness.seam;
    const [client, other] = [harness.connect(), harness.connect()];
    const key = Buffer.from('k');
    const exec = async (between: () => void): Promise<unknown> => {
      client.send('WATCH', 'k');
      await harness.settled();
      client.replies();
      between();
      await harness.settled();
      client.pipeline(['MULTI'], ['SET', 'done', '1'], ['EXEC']);
      await harness.settled();
      return client.replies().at(-1);
    };
    expect(await exec(() => undefined)).toMatchObject([{ text: 'OK' }]);
    expect(await exec(() => other.send('SET', 'k', '1'))).toBe(null);
    expect(await exec(() => client.send('SET', 'k', '1'))).toBe(null);
    expect(await exec(() => store.decide((view) => view.touch(key, 1000)))).toBe(null);
    expect(await exec(() => clock.jump(2000))).toBe(null);
    store.decide((view) => view.delete(key));
    expect(
      await exec(() => {
        store.decide((view) => view.put(key, key));
        store.decide((view) => view.delete(key));
      }),
    ).toBe(null);
    // It was past its deadline before it was watched: that it is removed is no change.
    store.decide((view) => view.put(key, key, { ttlMs: 10 }));
    clock.jump(20);
    expect(await exec(() => clock.advance(2000))).toMatchObject([{ text: 'OK' }]);
    client.send('UNWATCH');
    await harness.settled();
    expect(client.replies()).toMatchObject([{ text: 'OK' }]);
  });
});

describe('a command in parts', () => {
  it('takes several decisions, and has one reply', async () => {
    const harness = await open();
    const client = harness.connect();
    client.pipeline(
      ...['a', 'b', 'c', 'd', 'e'].map((key) => ['SET', key, '1']),
      ['DELETEALL'],
      ['GET', 'e'],
    );
    for (let turn = 0; turn < 5; turn++) await harness.settled();
    expect(client.replies().slice(5)).toMatchObject([{ text: 'OK' }, null]);
    expect(harness.seam.store.visibleRevision).toBe(8);
  });
});

describe('a session', () => {
  it('begins with HELLO, selects its database, and is made anew by RESET', async () => {
    const harness = await open();
    const client = harness.connect();
    client.send('HELLO', '3', 'SETNAME', 'me');
    await harness.settled();
    expect(client.raw()).toContain('%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n');
    expect(client.connection.name).toBe('me');
    client.pipeline(
      ['SELECT', '15'],
      ['SELECT', '16'],
      ['SELECT', 'x'],
      ['GET', 'a'],
      ['RESET'],
      ['GET', 'a'],
      ['QUIT'],
      ['PING'],
    );
    await harness.settled();
    expect(client.raw()).toBe(
      '+OK\r\n-ERR DB index is out of range\r\n-ERR value is not an integer or out of range\r\n_\r\n+RESET\r\n$-1\r\n+OK\r\n',
    );
    expect(client.wire.isEnded).toBe(true);
  });

  it('is closed after what is no command, with the error behind the replies before it', async () => {
    const harness = await open();
    const client = harness.connect();
    client.sendText('SET a b\r\n*1\r\nx\r\nPING\r\n');
    await harness.settled();
    expect(client.raw()).toBe("+OK\r\n-ERR Protocol error: expected '$', got 'x'\r\n");
    expect(client.wire.isEnded).toBe(true);
  });
});

describe('replies of all clients that wait for the disk', () => {
  const valueBytes = 1_000_000;
  const { redisWaitingBytesPaused, redisWaitingBytesOfAllPaused } = serverFixed;
  const clientCount = Math.ceil((1.25 * redisWaitingBytesOfAllPaused) / redisWaitingBytesPaused);

  /** Clients whose replies have filled the queue, each with more to ask for. */
  async function filled(): Promise<{ harness: DoorHarness; clients: TestClient[] }> {
    const harness = await open();
    const first = harness.connect();
    first.send('SET', 'a', Buffer.alloc(valueBytes));
    await harness.settled();
    harness.seam.flushes.hold();
    const clients = Array.from({ length: clientCount }, () => harness.connect());
    for (const [index, client] of clients.entries())
      client.pipeline(['SET', `b${index}`, 'x'], ...Array.from({ length: 8 }, () => ['GET', 'a']));
    await harness.seam.clock.settled();
    return { harness, clients };
  }

  it('hold up more commands whose replies would wait, and lose nothing', async () => {
    const { harness, clients } = await filled();
    const waiting = clients.map(({ connection }) => connection.figures.outputBytes);
    const sum = waiting.reduce((all, bytes) => all + bytes, 0);
    expect(sum).toBeGreaterThan(redisWaitingBytesOfAllPaused);
    expect(sum).toBeLessThan(redisWaitingBytesOfAllPaused + fixed.turnBytesMax + 2 * valueBytes);
    expect(clients.every(({ wire }) => wire.isPaused)).toBe(true);
    // What is durable is read all the same; writes, and reads of the newest state, wait.
    const [reader, writer] = [harness.connect(), harness.connect()];
    reader.send('GET', 'none');
    expect(reader.raw()).toBe('$-1\r\n');
    writer.send('SET', 'c', 'x');
    reader.send('RANKOF', 'a');
    await harness.seam.clock.settled();
    expect([reader.raw(), writer.raw()]).toEqual(['', '']);
    harness.seam.flushes.release();
    for (let turn = 0; turn < 20; turn++) await harness.settled();
    expect([reader.raw(), writer.raw()]).toEqual([':0\r\n', '+OK\r\n']);
    for (const client of clients) {
      expect(client.raw().length).toBeGreaterThan(8 * valueBytes);
      expect(client.wire.isPaused).toBe(false);
    }
  });

  it('and those that they hold up end when the log fails', async () => {
    const { harness, clients } = await filled();
    const writer = harness.connect();
    writer.send('SET', 'c', 'x');
    expect(writer.raw()).toBe('');
    harness.seam.disk.injectFault({ call: 'sync', pathEnd: '.log' });
    harness.seam.flushes.release();
    await harness.seam.store.failed;
    await harness.seam.clock.settled();
    expect(writer.raw()).toMatch(/^-MISCONF /);
    expect(clients[0]?.wire.isDestroyed).toBe(true);
  });
});

describe('a log that has failed', () => {
  it('ends those who wait for it, refuses writes, and leaves reads of what is durable', async () => {
    const harness = await open();
    const [writer, other] = [harness.connect(), harness.connect()];
    writer.send('SET', 'a', 'durable');
    await harness.settled();
    writer.raw();
    harness.seam.disk.injectFault({ call: 'sync', pathEnd: '.log' });
    writer.send('SET', 'a', 'lost');
    await harness.seam.store.failed;
    await harness.seam.clock.settled();
    expect([writer.raw(), writer.wire.isDestroyed]).toEqual(['', true]);
    other.pipeline(['GET', 'a'], ['SET', 'a', 'x'], ['RANKOF', 'a'], ['PING'], ['GET', 'a']);
    await harness.seam.clock.settled();
    expect(other.raw()).toMatch(
      /^\$7\r\ndurable\r\n-MISCONF .*\r\n-MISCONF .*\r\n\+PONG\r\n\$7\r\ndurable\r\n$/,
    );
    expect(harness.defects).toEqual([]);
  });
});

describe('replies that a client reads slowly', () => {
  it('hold up the rest of its pipeline, however many there are', async () => {
    const harness = await open();
    const client = harness.connect();
    client.send('SET', 'a', Buffer.alloc(1_000_000));
    await harness.settled();
    client.raw();
    client.wire.isRead = false;
    const count = Math.ceil((1.5 * serverFixed.redisUnreadBytesMax) / 1_000_000);
    client.pipeline(...Array.from({ length: count }, () => ['GET', 'a']));
    for (let sentCount = 0; sentCount < count;) {
      await harness.settled();
      expect(client.wire.writableLength).toBeLessThan(0.1 * serverFixed.redisUnreadBytesMax);
      sentCount += client.wire.written.splice(0).length === 0 ? 0 : client.wire.writableLength / 1_000_010;
      client.wire.writableLength = 0;
      client.connection.drained();
    }
    await harness.settled();
    expect([client.wire.isDestroyed, client.wire.isPaused]).toEqual([false, false]);
    client.wire.isRead = true;
    client.send('PING');
    expect(client.raw()).toBe('+PONG\r\n');
  });

  it('and wait for the disk do so too', async () => {
    const harness = await open();
    const client = harness.connect();
    const value = Buffer.alloc(500_000);
    harness.seam.flushes.hold();
    const count = 100;
    client.pipeline(['SET', 'a', value], ...Array.from({ length: count }, () => ['GET', 'a']));
    for (let turn = 0; turn < count; turn++) await harness.seam.clock.settled();
    expect(client.connection.figures.outputBytes).toBeLessThan(2 * serverFixed.redisWaitingBytesPaused);
    harness.seam.flushes.release();
    let got = 0;
    while (got < count + 1) {
      await harness.settled();
      got += client.replies().length;
    }
    expect(got).toBe(count + 1);
  });
});
