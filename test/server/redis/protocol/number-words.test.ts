/** Numbers in words and replies, as Redis reads and prints them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { doubleText } from '../../../../src/server/redis/protocol/double-text.ts';
import { PlacedArguments } from '../../../../src/server/redis/protocol/placed-arguments.ts';
import { SeededRandom } from '../../../support/random.ts';
import { ErrorReply } from '../support/decoded-reply.ts';
import { hasRealRedis, RealRedis } from '../support/real-redis.ts';

function argument(text: string): PlacedArguments {
  const args = new PlacedArguments();
  args.takeWords([Buffer.from('NAME'), Buffer.from(text)]);
  return args;
}

function outcome<Value>(run: () => Value): Value | string {
  try {
    return run();
  } catch (error) {
    return (error as Error).message;
  }
}

const integers = [
  '0',
  '-0',
  '+1',
  '01',
  '',
  '-',
  ' 1',
  '1 ',
  '1x',
  '10',
  '-10',
  '999999999999999',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775808',
  '-9223372036854775809',
  '99999999999999999999',
  '1e3',
];
const doubles = [
  '0',
  '+1',
  '01',
  '',
  '-',
  ' 1',
  '1 ',
  '1x',
  '.5',
  '5.',
  '.',
  '1e5',
  '1e',
  '1e+5',
  '1e400',
  '-1e400',
  '1e-400',
  '4e-324',
  '2e-324',
  'inf',
  '+inf',
  '-Infinity',
  'infinit',
  'nan',
  '-nan',
  '0x10',
  '0x1.8p3',
  '0x.8',
  '0x',
  '0xp3',
  '0x1p-1074',
  '0x1p-1080',
  '0x1p1024',
  '0x1.fffffffffffff8p0',
  '1_0',
  '3.0e-5',
  '123456789012345680000',
  '17179869184.123456789',
  '1125899906842624.25',
  '1125899906842624.75',
];

it('reads integers as they are printed, and no other way', () => {
  expect(argument('-12').integer(1)).toBe(-12);
  expect(argument('9223372036854775807').int64(1)).toBe(2n ** 63n - 1n);
  expect(argument('9223372036854775807').integer(1)).toBe(Number.MAX_SAFE_INTEGER);
  expect(argument('-9223372036854775808').integer(1)).toBe(-Number.MAX_SAFE_INTEGER);
  expect(() => argument('01').integer(1)).toThrow('ERR value is not an integer or out of range');
});

it('prints doubles as C does', () => {
  const cases: [number, string][] = [
    [0.1, '0.10000000000000001'],
    [-0, '-0'],
    [3, '3'],
    [1e17, '1e+17'],
    [99999999999999984, '99999999999999984'],
    [1e-5, '1.0000000000000001e-05'],
    [0.0001, '0.0001'],
    [1e300, '1.0000000000000001e+300'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [1125899906842624.25, '1125899906842624.2'],
    [1125899906842624.75, '1125899906842624.8'],
  ];
  for (const [value, text] of cases) expect(doubleText(value)).toBe(text);
});

describe.runIf(hasRealRedis)('beside Redis', () => {
  let redis: RealRedis;
  beforeAll(async () => {
    redis = await RealRedis.start();
  });
  afterAll(() => redis.stop());

  it.each(integers)('takes %j for the same integer', async (text) => {
    await redis.run('DEL', 'n');
    const reply = await redis.run('INCRBY', 'n', text);
    const theirs = reply instanceof ErrorReply ? reply.text : BigInt(reply as number);
    expect(outcome(() => argument(text).int64(1))).toBe(theirs);
  });

  it.each(doubles)('takes %j for the same double', async (text) => {
    await redis.run('DEL', 'z');
    const reply = await redis.run('ZADD', 'z', text, 'm');
    const theirs = reply instanceof ErrorReply ? reply.text : await redis.run('ZSCORE', 'z', 'm');
    expect(outcome(() => doubleText(argument(text).double(1)))).toBe(theirs);
  });

  it('prints random doubles alike', async () => {
    const random = new SeededRandom(7);
    const view = new DataView(new ArrayBuffer(8));
    for (let round = 0; round < 300; round++) {
      view.setUint32(0, random.uint32());
      view.setUint32(4, random.uint32());
      const value = random.chance(0.5) ? view.getFloat64(0) : random.below(1e6) / 2 ** random.below(60);
      if (Number.isNaN(value)) continue;
      await redis.run('ZADD', 'z', String(value).replace('Infinity', 'inf'), 'm');
      expect(doubleText(value)).toBe(await redis.run('ZSCORE', 'z', 'm'));
    }
  });
});
