/** Watches of one server through slow reading, reconnects, compactions, orderly stops and kills. */
import type { ClientHttp2Session } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { createClient, type KelpClient } from '../../src/client/client.ts';
import { ServerProcess } from '../crash/server-process.ts';
import { openSession } from '../support/bare-http2.ts';
import { SeededRandom } from '../support/random.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { Follower, type FollowerCounts, type Subject } from './follower.ts';
import { TrueWriter } from './true-writer.ts';

const ROUNDS = Number(process.env['WATCH_ROUNDS'] ?? 2);
const SEED = Number(process.env['WATCH_SEED'] ?? 1);
const WRITES_PER_ROUND = 60;
/** For all followers to finish once everything is written. */
const FINISH_MS_MAX = 60_000;
/** Written at the end, in all ways that there are, so that every watch is told something then. */
const last = { key: 'last' };

const subjects: readonly Subject[] = [
  {},
  { returnPrevious: true, eventTypes: ['put', 'delete', 'touch'] },
  { ranges: [{ prefix: 'a/' }, last], returnPrevious: true },
  { ranges: [{ prefix: 'b/1' }, { key: 'a/3' }, last], eventTypes: ['put'] },
  { ranges: [{ prefix: 'b/' }, last], keysOnly: true, returnPrevious: true },
  { eventTypes: ['delete'] },
  { eventTypes: ['touch'] },
  { ranges: [{ key: 'a/1' }, last] },
];

test(
  `all promises are kept (again: WATCH_SEED=${SEED})`,
  { timeout: 120_000 + ROUNDS * 10_000 },
  async () => {
    const random = new SeededRandom(SEED);
    const life = await Lives.begin();
    const writer = new TrueWriter(life.client(), random);
    for (let count = 0; count < 10; count++) await writer.write();
    const followers = [...subjects, ...subjects].map(
      (subject, index) => new Follower(subject, writer, new SeededRandom(SEED + index), () => life.session()),
    );
    const controller = new AbortController();
    onTestFinished(() => controller.abort());
    const following = Promise.all(followers.map((follower) => follower.follow(controller.signal)));
    // It is awaited at the end; a violation must not go unheard until then.
    following.catch(() => undefined);

    for (let round = 0; round < ROUNDS; round++) {
      for (let count = 0; count < WRITES_PER_ROUND; count++) {
        await Promise.race([writer.write(), following]);
        if (random.chance(0.1)) await life.client().admin.compact(writer.history.revision);
      }
      if (round % 2 === 0) await writer.writeThroughCrash(() => life.next('SIGKILL'));
      else await writer.writeThroughCrash(() => life.next('SIGTERM'));
    }
    for (const follower of followers) follower.finishAt(writer.history.revision + 1);
    await writer.write([{ type: 'put', ...last, value: Buffer.from('1') }]);
    await writer.write([{ type: 'touch', ...last }]);
    await writer.write([{ type: 'delete', ...last }]);
    await allFinished(following, followers);

    const counts = followers.map((follower) => follower.counts);
    const total = (name: keyof FollowerCounts): number => counts.reduce((sum, each) => sum + each[name], 0);
    expect(total('messages')).toBeGreaterThan(WRITES_PER_ROUND * ROUNDS);
    expect(total('resumed')).toBeGreaterThan(followers.length);
    expect(total('restarted')).toBeGreaterThan(0);
    expect(total('compacted')).toBeGreaterThan(0);
  },
);

/** Rejects at once when a promise was broken, and in the end when there are followers that still wait for something. */
async function allFinished(following: Promise<unknown>, followers: readonly Follower[]): Promise<void> {
  const overdue = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const states = followers.map((follower, index) => `${index}: ${follower.toString()}`);
    overdue.reject(new Error(`not all followers finished:\n${states.join('\n')}`));
  }, FINISH_MS_MAX);
  try {
    await Promise.race([following, overdue.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A server that is ended and started again on the same port and data. */
class Lives {
  readonly #dataDir: string;
  #server: ServerProcess;
  #client: KelpClient;
  #session: Promise<ClientHttp2Session>;

  private constructor(dataDir: string, server: ServerProcess) {
    this.#dataDir = dataDir;
    this.#server = server;
    this.#client = clientOf(server);
    this.#session = openSession(`http://${server.address}`);
  }

  static async begin(): Promise<Lives> {
    const dataDir = await temporaryDirectory();
    return new Lives(dataDir, await ServerProcess.start({ dataDir }));
  }

  client(): KelpClient {
    return this.#client;
  }

  /** Of the life that goes on, or of the next one if there is none. */
  session(): Promise<ClientHttp2Session> {
    return this.#session;
  }

  async next(signal: 'SIGKILL' | 'SIGTERM'): Promise<KelpClient> {
    const begun = Promise.withResolvers<ClientHttp2Session>();
    this.#session = begun.promise;
    await this.#server.end(signal);
    this.#server = await ServerProcess.start({ dataDir: this.#dataDir });
    this.#client = clientOf(this.#server);
    begun.resolve(await openSession(`http://${this.#server.address}`));
    return this.#client;
  }
}

/** Without retries: a write is made once, or it is not known whether it was. */
function clientOf({ address }: ServerProcess): KelpClient {
  const client = createClient({ address, retries: 0, deadlineMs: 20_000 });
  onTestFinished(() => client.close());
  return client;
}
