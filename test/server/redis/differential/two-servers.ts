/** Redis and KelpDB side by side, each with two clients over sockets, which are sent the same pipelines. */
import { startTestServer } from '../../../support/test-server.ts';
import { type DecodedReply, ErrorReply, showReply, SimpleReply } from '../support/decoded-reply.ts';
import type { DrawnCommand } from '../support/differential.ts';
import { RealRedis } from '../support/real-redis.ts';
import { RedisClient } from '../support/redis-client.ts';
import { toRequest } from '../support/words.ts';
import type { DrawnPipeline } from './drawn-pipelines.ts';

export interface Difference {
  /** Of the pipeline. */
  readonly index: number;
  readonly redis: string;
  readonly kelp: string;
}

/** A client of both servers. */
class TwinClient {
  readonly #redis: RedisClient;
  readonly #kelp: RedisClient;
  /** What the open transaction will reply to. */
  #queued: DrawnCommand[] = [];

  constructor(redis: RedisClient, kelp: RedisClient) {
    this.#redis = redis;
    this.#kelp = kelp;
  }

  async run(commands: readonly DrawnCommand[]): Promise<Difference | undefined> {
    const request = Buffer.concat(commands.map(({ words }) => toRequest(words)));
    this.#redis.socket.write(request);
    this.#kelp.socket.write(request);
    let difference: Difference | undefined;
    for (const [index, command] of commands.entries()) {
      const theirs = await this.#redis.next();
      const ours = await this.#kelp.next();
      const shown = this.#compare(command, theirs, ours);
      if (shown !== undefined) difference ??= { index, ...shown };
    }
    return difference;
  }

  close(): void {
    this.#redis.socket.destroy();
    this.#kelp.socket.destroy();
  }

  #compare(
    command: DrawnCommand,
    theirs: DecodedReply,
    ours: DecodedReply,
  ): Omit<Difference, 'index'> | undefined {
    const name = String(command.words[0]).toUpperCase();
    if (theirs instanceof SimpleReply && theirs.text === 'QUEUED') {
      this.#queued.push(command);
      return differ({ words: [] }, theirs, ours);
    }
    if (name !== 'EXEC' && name !== 'DISCARD') return differ(command, theirs, ours);
    // One that is refused where no transaction is open has queued nothing either.
    const queued = this.#queued;
    this.#queued = [];
    if (!isArray(theirs) || !isArray(ours) || theirs.length !== ours.length)
      return differ(command, theirs, ours);
    for (const [index, reply] of theirs.entries()) {
      const shown = differ(queued[index] ?? command, reply, ours[index] ?? null);
      if (shown !== undefined)
        return { redis: `reply ${index} is ${shown.redis}`, kelp: `reply ${index} is ${shown.kelp}` };
    }
    return undefined;
  }
}

export class TwoServers {
  readonly #redis: RealRedis;
  readonly #kelpAddress: string;
  #clients: readonly TwinClient[] = [];

  private constructor(redis: RealRedis, kelpAddress: string) {
    this.#redis = redis;
    this.#kelpAddress = kelpAddress;
  }

  /** For one test. */
  static async start(options: readonly string[] = []): Promise<TwoServers> {
    const { redisAddress } = await startTestServer({
      flags: { 'redis-listen': '127.0.0.1:0', 'log-level': 'warn' },
    });
    const servers = new TwoServers(await RealRedis.start(options), redisAddress);
    await servers.begin();
    return servers;
  }

  /** Both empty, with new clients: one of each version of the protocol. */
  async begin(): Promise<void> {
    for (const client of this.#clients) client.close();
    const connect = async (): Promise<TwinClient> =>
      new TwinClient(
        await RedisClient.open(`127.0.0.1:${this.#redis.port}`),
        await RedisClient.open(this.#kelpAddress),
      );
    this.#clients = [await connect(), await connect()];
    await this.run({ client: 0, commands: [{ words: ['FLUSHALL'] }] });
    await this.run({ client: 1, commands: [{ words: ['HELLO', 3], compare: 'nothing' }] });
  }

  async run({ client, commands }: DrawnPipeline): Promise<Difference | undefined> {
    return this.#clients[client]?.run(commands);
  }

  stop(): Promise<void> {
    return this.#redis.stop();
  }
}

const NEAR_MS = 60_000;

function differ(
  { isUnordered = false, compare = 'all', mask = (shown) => shown }: DrawnCommand,
  theirs: DecodedReply,
  ours: DecodedReply,
): Omit<Difference, 'index'> | undefined {
  if (compare === 'nothing') return undefined;
  const redis = mask(showReply(theirs, isUnordered));
  const kelp = mask(showReply(ours, isUnordered));
  if (redis === kelp) return undefined;
  if (compare === 'near' && typeof theirs === 'number' && typeof ours === 'number')
    if (Math.min(theirs, ours) >= 0 && Math.abs(theirs - ours) < NEAR_MS) return undefined;
  return { redis: cut(redis), kelp: cut(kelp) };
}

function cut(text: string): string {
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}

function isArray(reply: DecodedReply): reply is readonly DecodedReply[] {
  return Array.isArray(reply) && !(reply instanceof ErrorReply);
}
