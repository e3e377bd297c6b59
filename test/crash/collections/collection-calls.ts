/**
 * The commands of `OwnedCollections` as calls of the client on the services of collections, several as operations of one
 * transaction; what they answer is what Redis would.
 */
import type { OperationResult } from '../../../src/api.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import type { Operation } from '../../../src/client/index.ts';
import type { DecodedReply } from '../../server/redis/support/decoded-reply.ts';

type Words = readonly string[];

/** @param commands one, or those of a transaction between MULTI and EXEC. */
export async function callCommands(client: KelpClient, commands: readonly Words[]): Promise<DecodedReply> {
  if (commands[0]?.[0] !== 'MULTI') return callAlone(client, commands[0] ?? []);
  const { results } = await client.txn({ success: commands.slice(1, -1).map(toOperation) });
  return results.map(toReply);
}

/** What `OwnedCollections.reads` ask for, in their order. */
export async function readCommands(client: KelpClient, reads: readonly Words[]): Promise<DecodedReply[]> {
  const replies: DecodedReply[] = [];
  for (const [name, key = ''] of reads) replies.push(await read(client, name ?? '', key));
  return replies;
}

async function callAlone(client: KelpClient, words: Words): Promise<DecodedReply> {
  const [name, key = '', ...rest] = words;
  switch (name) {
    case 'HSET':
      return (await client.hash.set(key, pairsOf(rest))).addedCount;
    case 'LPUSH':
    case 'RPUSH':
      return (await client.list.push(key, rest, { end: endOf(name) })).count;
    case 'LPOP':
    case 'RPOP':
      return (await client.list.pop(key, { end: endOf(name) })).elements[0]?.text() ?? null;
    case 'SADD':
      return (await client.set.add(key, rest)).addedCount;
    case 'SREM':
      return (await client.set.remove(key, rest)).removedCount;
    case 'ZADD':
      return (await client.sortedSet.add(key, scoresOf(rest))).addedCount;
    case 'ZPOPMIN':
      return (await client.sortedSet.pop(key)).members.flatMap(({ member, score }) => [
        member.text(),
        `${score}`,
      ]);
    case 'DEL':
      return (await client.delete(key)).deleted ? 1 : 0;
    default:
      throw new Error(`there is no call for ${name}`);
  }
}

function toOperation([name, key = '', ...rest]: Words): Operation {
  switch (name) {
    case 'HSET':
      return { kind: 'hashSet', key, fields: pairsOf(rest).map(([name, value]) => ({ name, value })) };
    case 'LPUSH':
    case 'RPUSH':
      return { kind: 'listPush', key, elements: rest, end: endOf(name) };
    case 'LPOP':
    case 'RPOP':
      return { kind: 'listPop', key, end: endOf(name) };
    case 'SADD':
      return { kind: 'setAdd', key, members: rest };
    case 'SREM':
      return { kind: 'setRemove', key, members: rest };
    case 'ZADD':
      return {
        kind: 'sortedSetAdd',
        key,
        members: scoresOf(rest).map(([member, score]) => ({ member, score })),
      };
    case 'ZPOPMIN':
      return { kind: 'sortedSetPop', key };
    case 'DEL':
      return { kind: 'delete', key };
    default:
      throw new Error(`there is no operation for ${name}`);
  }
}

function toReply(result: OperationResult): DecodedReply {
  switch (result.kind) {
    case 'hashSet':
    case 'setAdd':
    case 'sortedSetAdd':
      return result.addedCount;
    case 'listPush':
      return result.count;
    case 'listPop':
      return result.elements[0] === undefined ? null : textOf(result.elements[0]);
    case 'setRemove':
      return result.removedCount;
    case 'sortedSetPop':
      return result.members.flatMap(({ member, score }) => [textOf(member), `${score}`]);
    case 'delete':
      return result.deleted ? 1 : 0;
    default:
      throw new Error(`there is no reply for ${result.kind}`);
  }
}

async function read(client: KelpClient, name: string, key: string): Promise<DecodedReply> {
  switch (name) {
    case 'HGETALL': {
      const { fields } = await client.hash.get(key);
      return [...fields].flatMap(({ name, value }) => [name.text(), value.text()]);
    }
    case 'SMEMBERS': {
      const members: string[] = [];
      for await (const member of client.set.scan(key)) members.push(member.text());
      return members;
    }
    case 'ZRANGE': {
      const flat: string[] = [];
      for await (const { member, score } of client.sortedSet.range(key)) flat.push(member.text(), `${score}`);
      return flat;
    }
    case 'LRANGE':
      return (await client.list.range(key)).elements.map((element) => element.text());
    case 'HLEN':
      return (await client.hash.get(key)).count;
    case 'SCARD':
      return (await client.set.contains(key, ['any'])).count;
    case 'ZCARD':
      return (await client.sortedSet.count(key)).count;
    case 'LLEN':
      return (await client.list.range(key, { start: 0, stop: 0 })).count;
    default:
      throw new Error(`there is no call for ${name}`);
  }
}

function pairsOf(flat: Words): [name: string, value: string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? '']);
}

/** From scores, each before its member. */
function scoresOf(flat: Words): [member: string, score: number][] {
  return pairsOf(flat).map(([score, member]) => [member, Number(score)]);
}

function endOf(name: string): 'head' | 'tail' {
  return name.startsWith('L') ? 'head' : 'tail';
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
