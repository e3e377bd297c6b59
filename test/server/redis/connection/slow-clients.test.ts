/** Clients that hold what others need and do not go on are cut; those that are only idle are not. */
import { expect, it } from 'vitest';
import type { Login } from '../../../../src/access/login/login.ts';
import { allRights } from '../../../../src/access/rights/rights.ts';
import { StoreError } from '../../../../src/errors.ts';
import { serverDefaults, serverFixed } from '../../../../src/limits.ts';
import type { LoginGate } from '../../../../src/server/redis/connection/connection-context.ts';
import { DoorHarness } from '../support/door-harness.ts';
import { echoCommands } from '../support/echo-commands.ts';

const { handshakeTimeoutMs, requestTimeoutMs } = serverDefaults;
const CHECK_MS = serverFixed.redisClientCheckMs;
const open = (options = {}): Promise<DoorHarness> => DoorHarness.open({ rows: echoCommands, ...options });

const stranger: Login = {
  userName: '',
  expireTimeMs: 0,
  get rights(): never {
    throw new StoreError('unauthenticated', 'it has shown nothing');
  },
};
const ann: Login = { userName: 'ann', expireTimeMs: 0, rights: allRights };

it('a client that has to log in, and does not, is cut', async () => {
  const answers: ((login: Login) => void)[] = [];
  const logins: LoginGate = {
    first: () => stranger,
    logIn: (_, userName) => (userName === 'ann' ? ann : new Promise((resolve) => void answers.push(resolve))),
    denied: () => undefined,
  };
  const harness = await open({ logins });
  const [silent, talking, ready, waiting] = [0, 1, 2, 3].map(() => harness.connect());
  ready?.send('AUTH', 'ann', 'secret');
  waiting?.send('AUTH', 'bob', 'secret');
  for (let passedMs = 0; passedMs <= handshakeTimeoutMs + 2 * CHECK_MS; passedMs += CHECK_MS) {
    talking?.send('GET', 'a');
    await harness.seam.clock.pass(CHECK_MS);
  }
  expect([silent, talking, ready, waiting].map((client) => client?.wire.isDestroyed)).toEqual([
    true,
    true,
    false,
    false,
  ]);
  // Its password was long in coming, which is not its fault.
  answers[0]?.(ann);
  await harness.settled();
  await harness.seam.clock.pass(handshakeTimeoutMs);
  waiting?.raw();
  waiting?.send('PING');
  expect(waiting?.raw()).toBe('+PONG\r\n');
});

it('a command that does not become whole is cut, and gives its memory back', async () => {
  const harness = await open();
  const [half, quick, idle] = [harness.connect(), harness.connect(), harness.connect()];
  idle.send('PING');
  half.sendText('*2\r\n$3\r\nGET\r\n$100\r\n');
  for (let passedMs = 0; passedMs <= requestTimeoutMs + 2 * CHECK_MS; passedMs += CHECK_MS) {
    // A byte now and then does not help. A pipeline always has one command in part.
    half.sendText('a');
    quick.sendText(passedMs === 0 ? '*2\r\n$3\r\nGET\r\n$1\r\n' : 'a\r\n*2\r\n$3\r\nGET\r\n$1\r\n');
    await harness.seam.clock.pass(CHECK_MS);
  }
  expect([half, quick, idle].map(({ wire }) => wire.isDestroyed)).toEqual([true, false, false]);
  expect(harness.door.inputBytes).toBe(quick.connection.figures.queryBytes > 0 ? 4096 : 0);
  quick.connection.close();
  expect(harness.door.inputBytes).toBe(0);
});

it('a command that waits behind another one is not its fault', async () => {
  const harness = await open();
  const client = harness.connect();
  client.pipeline(['TAKELETTER', 'a', '0'], ['PING']);
  await harness.seam.clock.pass(2 * requestTimeoutMs);
  expect(client.wire.isDestroyed).toBe(false);
  harness.connect().send('APPEND', 'a', 'x');
  await harness.settled();
  expect(client.raw()).toBe('$1\r\nx\r\n+PONG\r\n');
});

it('a request of HTTP ends its connection before its body is run', async () => {
  const harness = await open();
  for (const head of ['POST / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nhost: localhost\r\n']) {
    const client = harness.connect();
    client.sendText(`${head}\r\nSET a 1\r\n`);
    expect(client.wire.isDestroyed).toBe(true);
  }
  await harness.settled();
  const client = harness.connect();
  client.send('GET', 'a');
  expect(client.replies()).toEqual([null]);
});
