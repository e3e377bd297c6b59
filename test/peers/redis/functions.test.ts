/** Functions as clients on Node load and call them, and as another connection finds them: ioredis and node-redis. */
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDoor } from './redis-server-under-test.ts';

const LIBRARY = `#!lua name=counting
local function bounded(value, most) return math.min(value, tonumber(most)) end
redis.register_function('add_at_most', function(keys, args)
  local sum = bounded(tonumber(redis.call('get', keys[1]) or 0) + tonumber(args[1]), args[2])
  redis.call('set', keys[1], sum)
  return sum
end)
redis.register_function{function_name = 'sum', flags = {'no-writes'}, description = 'tells the sum',
  callback = function(keys) return redis.call('get', keys[1]) end}`;

describe.each([2, 3] as const)('with RESP%i', { timeout: 60_000 }, (protocol) => {
  async function openNodeRedis(port: number) {
    const client = createClient({ RESP: protocol, socket: { port, host: '127.0.0.1' } });
    client.on('error', () => undefined);
    onTestFinished(() => client.destroy());
    await client.connect();
    return client;
  }

  function openIoredis(port: number, enableAutoPipelining = false): Redis {
    const client = new Redis({ port, protocol, enableAutoPipelining });
    client.on('error', () => undefined);
    onTestFinished(() => client.disconnect());
    return client;
  }

  test('node-redis loads a library, ioredis calls its functions, and both list it', async () => {
    const { port } = await openDoor();
    const client = await openNodeRedis(port);
    expect(await client.functionLoad(LIBRARY)).toBe('counting');
    await expect(client.functionLoad(LIBRARY)).rejects.toThrow("Library 'counting' already exists");
    expect(await client.functionLoad(LIBRARY, { REPLACE: true })).toBe('counting');
    expect(await client.fCall('add_at_most', { keys: ['a'], arguments: ['5', '7'] })).toBe(5);
    const other = openIoredis(port, true);
    const sums = await Promise.all(
      Array.from({ length: 100 }, () => other.fcall('add_at_most', 1, 'a', '1', '60')),
    );
    expect(sums).toEqual(Array.from({ length: 100 }, (_, index) => Math.min(6 + index, 60)));
    expect(await other.fcall_ro('sum', 1, 'a')).toBe('60');
    expect(await client.fCallRo('sum', { keys: ['a'] })).toBe('60');
    await expect(other.fcall_ro('add_at_most', 1, 'a', '1', '60')).rejects.toThrow(/write flag/);
    const [listed] = await client.functionListWithCode({ LIBRARYNAME: 'count*' });
    expect(listed).toMatchObject({ library_name: 'counting', engine: 'LUA', library_code: LIBRARY });
    const functions = [...(listed?.functions ?? [])].map(({ name, description }) => [name, description]);
    expect(functions).toEqual([
      ['add_at_most', null],
      ['sum', 'tells the sum'],
    ]);
    const { running_script, engines } = await client.functionStats();
    expect(running_script).toBeNull();
    expect(engines).toMatchObject({ LUA: { libraries_count: 1, functions_count: 2 } });
  });

  test('a library goes from one server to another as a payload, and within MULTI', async () => {
    const [from, to] = [await openDoor(), await openDoor()];
    const source = openIoredis(from.port);
    expect(await source.function('LOAD', LIBRARY)).toBe('counting');
    const payload = await source.functionBuffer('DUMP');
    const target = openIoredis(to.port);
    const replies = await target
      .multi()
      .function('RESTORE', payload)
      .fcall('add_at_most', 1, 'a', '5', '7')
      .function('DELETE', 'counting')
      .exec();
    expect(replies?.map(([, reply]) => reply)).toEqual(['OK', 5, 'OK']);
    expect(await target.function('LIST')).toEqual([]);
    await expect(target.fcall('sum', 1, 'a')).rejects.toThrow('ERR Function not found');
  });
});
