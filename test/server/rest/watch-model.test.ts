/**
 * Readers of Server-Sent Events whose connections are cut at random, of a server that is stopped and killed: each is told every revision
 * once, in order and whole, since it comes again with the id of the last event that it has seen.
 */
import { expect, onTestFinished, test } from 'vitest';
import { createClient, type KelpClient } from '../../../src/client/client.ts';
import { ServerProcess } from '../../crash/server-process.ts';
import { SeededRandom } from '../../support/random.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { TrueWriter } from '../../watch/true-writer.ts';
import type { TrueHistory } from '../../watch/true-history.ts';
import { connectEvents } from './event-reader.ts';

const ROUNDS = Number(process.env['WATCH_ROUNDS'] ?? 3);
const SEED = Number(process.env['WATCH_SEED'] ?? 1);
const WRITES_PER_ROUND = 60;
const LAST_KEY = 'last';

interface Subject {
  readonly query: string;
  readonly prefix: string;
  readonly hasTouches: boolean;
}

const subjects: readonly Subject[] = [
  { query: 'start_revision=1', prefix: '', hasTouches: false },
  { query: 'start_revision=1&events=put,delete,touch&progress_interval=100ms', prefix: '', hasTouches: true },
  { query: 'start_revision=1&prefix=a/&progress_interval=100ms', prefix: 'a/', hasTouches: false },
];

/** `[revision, [type, key, value], ...]` */
type Told = readonly [
  revision: number,
  ...(readonly [type: string, key: string, value: string | undefined])[],
];

test(`nothing is lost or told twice (again: WATCH_SEED=${SEED})`, { timeout: 180_000 }, async () => {
  const random = new SeededRandom(SEED);
  const life = await Lives.begin();
  const writer = new TrueWriter(life.client(), random);
  const readers = [...subjects, ...subjects].map(
    (subject, index) => new Reader(subject, life, new SeededRandom(SEED + index)),
  );
  const reading = Promise.all(readers.map((reader) => reader.read()));
  reading.catch(() => undefined);
  for (let round = 0; round < ROUNDS; round++) {
    for (let count = 0; count < WRITES_PER_ROUND; count++) await Promise.race([writer.write(), reading]);
    await writer.writeThroughCrash(() => life.next(round % 2 === 0 ? 'SIGKILL' : 'SIGTERM'));
  }
  await writer.write([{ type: 'put', key: LAST_KEY, value: Buffer.from('1') }]);
  await writer.write([{ type: 'put', key: `a/${LAST_KEY}`, value: Buffer.from('1') }]);
  await reading;
  for (const reader of readers) {
    expect(reader.told).toEqual(truthOf(writer.history, reader.subject));
    expect(reader.connectionCount).toBeGreaterThan(ROUNDS);
  }
});

function truthOf(history: TrueHistory, { prefix, hasTouches }: Subject): Told[] {
  const told: Told[] = [];
  for (let revision = 1; revision <= history.revision; revision++) {
    const events = history
      .eventsAt(revision)
      .filter(({ key, type }) => key.startsWith(prefix) && (hasTouches || type !== 'touch'))
      .map(({ type, key, after }) => {
        const value = type === 'put' ? Buffer.from(after?.value ?? []).toString('base64') : undefined;
        return [type, key, value] as const;
      });
    if (events.length > 0) told.push([revision, ...events]);
  }
  return told;
}

interface Data {
  readonly revision: number;
  readonly events: readonly {
    readonly type: string;
    readonly key?: string;
    readonly entry?: { readonly key: string; readonly value?: string | { readonly base64: string } };
  }[];
}

class Reader {
  readonly subject: Subject;
  readonly told: Told[] = [];
  connectionCount = 0;
  readonly #life: Lives;
  readonly #random: SeededRandom;
  #lastEventId = '';
  #isDone = false;

  constructor(subject: Subject, life: Lives, random: SeededRandom) {
    this.subject = subject;
    this.#life = life;
    this.#random = random;
  }

  async read(): Promise<void> {
    while (!this.#isDone) {
      const { address } = await this.#life.server();
      // A server that is just ended refuses, or cuts: the next one answers.
      await this.#readFrom(address).catch((error: unknown) => {
        if (!/ECONNREFUSED|ECONNRESET|socket hang up/.test(String(error))) throw error;
      });
    }
  }

  async #readFrom(address: string): Promise<void> {
    const headers: Record<string, string> =
      this.#lastEventId === '' ? {} : { 'last-event-id': this.#lastEventId };
    const connection = await connectEvents(`http://${address}/v1/watch?${this.subject.query}`, headers);
    this.connectionCount++;
    if (connection.status !== 200) throw new Error(`${connection.status}: ${await connection.body}`);
    let leftUntilCut = this.#random.between(0, 40);
    for (let event = await connection.next(); event !== undefined; event = await connection.next()) {
      this.#lastEventId = event.lastEventId;
      if (event.type === 'message') this.#take(JSON.parse(event.data) as Data);
      if (this.#isDone || leftUntilCut-- === 0) break;
    }
    connection.cut();
  }

  #take({ revision, events }: Data): void {
    const told = events.map(({ type, key, entry }) => {
      const value = entry?.value;
      const bytes = typeof value === 'string' ? Buffer.from(value).toString('base64') : value?.base64;
      return [type, key ?? entry?.key ?? '', bytes] as const;
    });
    this.told.push([revision, ...told]);
    this.#isDone ||= told.some(([, key]) => key === `a/${LAST_KEY}`);
  }
}

/** A server that is ended and started again on the same data. */
class Lives {
  readonly #dataDir: string;
  #current: ServerProcess;
  #server: Promise<ServerProcess>;
  #client: KelpClient;

  private constructor(dataDir: string, server: ServerProcess) {
    this.#dataDir = dataDir;
    this.#current = server;
    this.#server = Promise.resolve(server);
    this.#client = clientOf(server);
  }

  static async begin(): Promise<Lives> {
    const dataDir = await temporaryDirectory();
    return new Lives(dataDir, await ServerProcess.start({ dataDir }));
  }

  client(): KelpClient {
    return this.#client;
  }

  /** Of the life that goes on, or of the next one if there is none. */
  server(): Promise<ServerProcess> {
    return this.#server;
  }

  async next(signal: 'SIGKILL' | 'SIGTERM'): Promise<KelpClient> {
    const begun = Promise.withResolvers<ServerProcess>();
    this.#server = begun.promise;
    await this.#current.end(signal);
    this.#current = await ServerProcess.start({ dataDir: this.#dataDir });
    this.#client = clientOf(this.#current);
    begun.resolve(this.#current);
    return this.#client;
  }
}

/** Without retries: a write is made once, or it is not known whether it was. */
function clientOf({ address }: ServerProcess): KelpClient {
  const client = createClient({ address, retries: 0, deadlineMs: 20_000 });
  onTestFinished(() => client.close());
  return client;
}
