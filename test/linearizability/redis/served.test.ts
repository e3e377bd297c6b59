/**
 * Histories of clients of a Redis door: of one server that runs on, and of one that is killed with SIGKILL again and again while
 * pipelines are under way. What was answered is never lost, what was not may have been done or not, and all replies fit into one
 * order.
 */
import { describe, expect, test } from 'vitest';
import { ServerProcess } from '../../crash/server-process.ts';
import { RedisClient } from '../../server/redis/support/redis-client.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { ConnectionHistory, type HistoryEvent } from './connection-history.ts';
import { findDisorder } from './find-order.ts';
import type { Step } from './redis-model.ts';
import { READ_ALL, RedisWorkload } from './redis-workload.ts';
import { KILLS, SMALL_FILES, TIMEOUT_MS, rounds } from '../lives.ts';

const CONNECTIONS = 4;
/** Answered steps in one life of a server. */
const STEPS_PER_LIFE = 300;
const FLAGS = ['--redis-listen', '127.0.0.1:0', ...SMALL_FILES];

describe('a store behind a Redis door is linearizable', () => {
  test.each(rounds.flatMap((seed) => [1, 4].map((depth) => ({ seed, depth }))))(
    'while the server runs on, $depth steps at a time, seed $seed',
    async ({ seed, depth }) => {
      const events = await recordHistory(seed, 0, depth);
      expect(findDisorder(events, CONNECTIONS)).toBeUndefined();
    },
    TIMEOUT_MS,
  );

  test.each(rounds)(
    `while the server is killed ${KILLS} times within pipelines, seed %i`,
    async (seed) => {
      const events = await recordHistory(seed, KILLS, 3);
      expect(findDisorder(events, CONNECTIONS)).toBeUndefined();
      expect(events.some((event) => event.kind === 'sent' && event.sent.reply === undefined)).toBe(true);
    },
    TIMEOUT_MS,
  );
});

/** What all connections saw of one store, in all lives of its server. */
async function recordHistory(seed: number, kills: number, depth: number): Promise<HistoryEvent[]> {
  const dataDir = await temporaryDirectory();
  const random = new SeededRandom(seed);
  const workload = new RedisWorkload(random);
  const history = new ConnectionHistory();
  for (let life = 0; life <= kills; life++) {
    const server = await ServerProcess.start({ dataDir, flags: FLAGS });
    const clients: RedisClient[] = [];
    while (clients.length < CONNECTIONS) clients.push(await RedisClient.open(server.redisAddress));
    const [first] = clients;
    if (first !== undefined) await sendAll(first, 0, [READ_ALL], history);
    const enough = Promise.withResolvers<void>();
    let left = STEPS_PER_LIFE;
    const working = clients.map(async (client, connection) => {
      const waiting: Step[] = [];
      for (;;) {
        if (life === kills && left <= 0) return;
        while (waiting.length < depth) waiting.push(...workload.next());
        const steps = waiting.splice(0, random.between(1, depth));
        if (!(await sendAll(client, connection, steps, history))) return;
        left -= steps.length;
        if (left <= 0) enough.resolve();
      }
    });
    await Promise.race([enough.promise, ...working]);
    if (life < kills) await server.end('SIGKILL');
    await Promise.all(working);
    if (life === kills && first !== undefined) await sendAll(first, 0, [READ_ALL], history);
    await server.end('SIGKILL');
    history.end();
  }
  return history.events;
}

/** Sends steps in one piece. @returns whether all were answered: the connection has ended, else. */
async function sendAll(
  client: RedisClient,
  connection: number,
  steps: readonly Step[],
  history: ConnectionHistory,
): Promise<boolean> {
  const ended = client.closed.then(
    () => undefined,
    () => undefined,
  );
  const sent = steps.map((step) => history.send(connection, step));
  client.socket.cork();
  for (const { isTransaction, commands } of steps) {
    if (isTransaction) client.send('MULTI');
    for (const words of commands) client.send(...words);
    if (isTransaction) client.send('EXEC');
  }
  client.socket.uncork();
  for (const each of sent) {
    const { isTransaction, commands } = each.step;
    for (let before = isTransaction ? commands.length + 1 : 0; before > 0; before--)
      if ((await Promise.race([client.next(), ended])) === undefined) return false;
    const reply = await Promise.race([client.next(), ended]);
    if (reply === undefined) return false;
    history.answer(each, reply);
  }
  return true;
}
