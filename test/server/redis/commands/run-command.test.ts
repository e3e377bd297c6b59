/** How calls of commands are found, run and taken back. */
import { describe, expect, it } from 'vitest';
import { noRoomIn, StoreError } from '../../../../src/errors.ts';
import type { Command } from '../../../../src/server/redis/commands/command.ts';
import type { SeededRandom } from '../../../support/random.ts';
import { type DrawnCommand, differential } from '../support/differential.ts';
import { echoCommands } from '../support/echo-commands.ts';
import { hasRealRedis } from '../support/real-redis.ts';
import { RedisHarness } from '../support/redis-harness.ts';

describe('a call', () => {
  it('is found by its name in any case, and told apart from one with too few words', async () => {
    const redis = await RedisHarness.open(echoCommands);
    expect(redis.raw('SeT', 'a', 'b')).toBe('+OK\r\n');
    expect(redis.raw('get', 'a')).toBe('$1\r\nb\r\n');
    expect(redis.raw('GET')).toBe("-ERR wrong number of arguments for 'get' command\r\n");
    expect(redis.raw('NONE', 'a\r\nb', 'c')).toBe(
      "-ERR unknown command 'NONE', with args beginning with: 'a  b' 'c' \r\n",
    );
    expect(redis.raw('object', 'encoding', 'a')).toBe('$6\r\nembstr\r\n');
    expect(redis.raw('object')).toBe("-ERR wrong number of arguments for 'object' command\r\n");
    expect(redis.raw('object', 'none')).toBe("-ERR unknown subcommand 'none'. Try OBJECT HELP.\r\n");
  });

  it('leaves nothing when it fails halfway', async () => {
    const redis = await RedisHarness.open(echoCommands);
    redis.run('SET', 'a', 'b');
    expect(redis.raw('INCRBYARRAY', 'n', '1')).toBe('*1\r\n:1\r\n');
    expect(redis.raw('INCRBYARRAY', 'n', 'x')).toBe('-ERR value is not an integer or out of range\r\n');
    expect(redis.raw('GET', 'n')).toBe('$1\r\n1\r\n');
    expect(redis.events()).toEqual(['$ set a', '$ incrby n']);
  });

  it('takes back its own changes alone within a transaction, which sees what it has written', async () => {
    const redis = await RedisHarness.open(echoCommands);
    const replies = redis.runTogether(
      ['SET', 'n', '1'],
      ['SET', 'other', 'x'],
      ['INCRBYARRAY', 'n', 'x'],
      ['GET', 'n'],
      ['INCRBYARRAY', 'n', '41'],
      ['COUNTDOWN', '7'],
    );
    expect(replies.slice(2)).toMatchObject([
      { text: 'ERR value is not an integer or out of range' },
      '1',
      [42],
      [7, 6, 5, 4, 3, 2, 1],
    ]);
    expect(redis.run('GET', 'n')).toBe('42');
    expect(redis.run('GET', 'other')).toBe('x');
    expect(redis.store.committedSequence).toBe(1);
  });

  it('goes on with a long reply until it is whole', async () => {
    const redis = await RedisHarness.open(echoCommands);
    expect(redis.run('COUNTDOWN', '5')).toEqual([5, 4, 3, 2, 1]);
    expect(redis.run('COUNTDOWN', '0')).toEqual([]);
  });

  it('goes on with its count when the log had no room for a part', async () => {
    let runs = 0;
    const countParts: Command = {
      name: 'countparts',
      arity: 1,
      flags: ['write'],
      categories: ['write'],
      group: 'string',
      summary: 'Counts two in each of its three parts, of which the second is refused at first.',
      since: '1.0.0',
      complexity: 'O(1)',
      syntax: '',
      parts: (_, call) => {
        call.counted += 2;
        if (++runs % 4 === 2) throw noRoomIn('log', new StoreError('limitReached', 'the log is full'));
        if (runs % 4 !== 0) return true;
        call.reply.integer(call.counted);
        return false;
      },
    };
    const redis = await RedisHarness.open([countParts]);
    for (let call = 0; call < 2; call++) {
      expect(redis.raw('COUNTPARTS')).toBe('');
      expect(redis.raw('COUNTPARTS')).toBe(':6\r\n');
    }
  });

  it('is about the keys of its database', async () => {
    const redis = await RedisHarness.open(echoCommands);
    redis.run('SET', '\u00ff', 'text');
    redis.run('SET', Uint8Array.of(0xff), 'bytes');
    expect(redis.run('GET', Uint8Array.of(0xff))).toBe('bytes');
    redis.use({ database: 3 });
    expect(redis.run('GET', Uint8Array.of(0xff))).toBe(null);
    redis.use({ version: 3 });
    expect(redis.raw('GET', 'a')).toBe('_\r\n');
    expect(redis.run('GET', '')).toMatchObject({ text: 'ERR the key is empty; a key has at least 1 byte' });
  });
});

describe.runIf(hasRealRedis)('the comparison with Redis', { timeout: 60_000 }, () => {
  const draw = (random: SeededRandom): DrawnCommand => {
    const key = `key:${random.below(5)}`;
    const words = random.pick([
      ['GET', key],
      ['SET', key, random.bytes(random.below(20))],
      ['get'],
      ['SET', key, 'a', 'b'],
    ]);
    return { words };
  };

  it('finds none where there is none', async () => {
    await differential({ rows: echoCommands, draw, seed: 1, count: 500 });
    await differential({ rows: echoCommands, draw, seed: 2, count: 500, version: 3 });
  });

  it('tells the seed and the last commands of a difference', async () => {
    const rows = echoCommands.filter(({ name }) => name !== 'get');
    await expect(differential({ rows, draw, seed: 1, count: 500 })).rejects.toThrow(
      /^seed 1, command \d+, RESP2\n[^]*get[^]*\nRedis: .*\nKelpDB: -ERR unknown command/i,
    );
  });
});
