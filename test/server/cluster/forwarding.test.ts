/** Calls that change something, made at a follower: each is answered as the writer answers it. */
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { rpcRows } from '../access/rpc-rows.ts';
import { type RpcOutcome, rpcClient, rpcDoors } from '../access/rpc-door.ts';
import { servedMethods } from './served-methods.ts';
import { startNodes } from './nodes.ts';
import { startTestServer } from '../../support/test-server.ts';

test.each(rpcDoors)(
  'over %s a follower answers each call that changes something as the writer does',
  async (door) => {
    const alone = rpcClient(await startTestServer(), door, undefined);
    const { writer, follower } = await startNodes();
    const passedOn = rpcClient(follower, door, undefined);
    const wrong: string[] = [];
    let count = 0;
    for (const { method, request, about } of rpcRows) {
      if (!isForWriter(method, request)) continue;
      count++;
      const [one, other] = [await alone(method, request), await passedOn(method, request)];
      if (!isDeepStrictEqual(comparable(one), comparable(other))) {
        wrong.push(`${method.name} (${about}): ${shown(other)}, alone ${shown(one)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(50);
    expect(follower.view.barrierCount).toBe(0);
    expect(writer.view.barrierCount).toBe(0);
    // Nothing of it ran here.
    const { reply } = await passedOn(AdminService.method.status, {});
    expect(reply).toMatchObject({ revision: 0n, keyCount: 0n });
  },
  60_000,
);

function isForWriter(method: object, request: object): boolean {
  const served = servedMethods.find(({ desc }) => desc === method);
  if (served === undefined) return false;
  if (served.runsAt === 'writer') return true;
  return served.runsAt === 'caughtUp' && 'refreshTtl' in request;
}

/** Without what is another one in each store. */
function comparable({ code, reply }: RpcOutcome): unknown {
  if (reply === undefined) return { code };
  return { code, reply: JSON.parse(JSON.stringify(reply, withoutChance)) as unknown };
}

const CHANCE = new Set([
  'incarnation',
  'leaseId',
  'secret',
  'createTime',
  'expireTime',
  'remaining',
  '$unknown',
]);

function withoutChance(name: string, value: unknown): unknown {
  if (CHANCE.has(name)) return undefined;
  return typeof value === 'bigint' ? String(value) : value;
}

function shown(outcome: RpcOutcome): string {
  return JSON.stringify(comparable(outcome));
}
