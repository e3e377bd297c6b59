/** Clients that cache, over sockets to any server: what each is told of is gathered behind each step. */
import { type DecodedReply, type PushReply, showReply } from '../support/decoded-reply.ts';
import { RedisClient } from '../support/redis-client.ts';
import type { Word } from '../support/words.ts';

/** What one client has been told: names of keys, `*` for all of them, `broken ID`. */
export interface Told {
  readonly replies: readonly DecodedReply[];
  readonly told: readonly string[];
}

const MARK = 'behind all';

export class TrackedClient {
  readonly client: RedisClient;
  readonly id: number;

  private constructor(client: RedisClient, id: number) {
    this.client = client;
    this.id = id;
  }

  static async open(address: string, version: 2 | 3): Promise<TrackedClient> {
    const client = await RedisClient.open(address);
    await client.run('HELLO', String(version));
    return new TrackedClient(client, (await client.run('CLIENT', 'ID')) as number);
  }

  /** Runs calls in one piece. @returns their replies, and what the client was told until behind them. */
  async run(...calls: readonly (readonly Word[])[]): Promise<Told> {
    for (const words of calls) this.client.send(...words);
    this.client.send('PING', MARK);
    const replies: DecodedReply[] = [];
    const told: string[] = [];
    for (;;) {
      const next = await this.client.next();
      if (isMark(next)) return { replies, told };
      const names = namesOf(next);
      if (names === undefined) replies.push(next);
      else told.push(...names);
    }
  }
}

function isMark(reply: DecodedReply): boolean {
  return reply === MARK || (isList(reply) && reply[0] === 'pong' && reply[1] === MARK);
}

/** `undefined`: it is a reply, or a message of another kind. */
export function namesOf(reply: DecodedReply): readonly string[] | undefined {
  if (isList(reply) && reply[0] === 'message' && reply[1] === '__redis__:invalidate')
    return namesIn(reply[2] ?? null);
  if (!isPush(reply)) return undefined;
  const [kind, what = null] = reply.push;
  if (kind === 'invalidate') return namesIn(what);
  return kind === 'tracking-redir-broken' ? [`broken ${showReply(what)}`] : undefined;
}

function namesIn(what: DecodedReply): readonly string[] {
  return isList(what) ? what.map(String) : ['*'];
}

function isList(reply: DecodedReply): reply is readonly DecodedReply[] {
  return Array.isArray(reply);
}

function isPush(reply: DecodedReply): reply is PushReply {
  return typeof reply === 'object' && reply !== null && !isList(reply) && 'push' in reply;
}
