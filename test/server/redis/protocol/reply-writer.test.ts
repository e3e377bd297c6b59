/** Replies as their bytes, in both versions. */
import { expect, it } from 'vitest';
import { ReplyWriter } from '../../../../src/server/redis/protocol/reply-writer.ts';

function written(version: 2 | 3, write: (reply: ReplyWriter) => void): string {
  const reply = new ReplyWriter();
  reply.version = version;
  write(reply);
  return reply.take().toString('latin1');
}

const cases: [string, (reply: ReplyWriter) => void, string, string][] = [
  ['OK', (reply) => reply.ok(), '+OK\r\n', '+OK\r\n'],
  ['an error', (reply) => reply.error('ERR wrong'), '-ERR wrong\r\n', '-ERR wrong\r\n'],
  ['an integer', (reply) => reply.integer(-1203), ':-1203\r\n', ':-1203\r\n'],
  [
    'a large integer',
    (reply) => reply.integer(2 ** 53 - 1),
    ':9007199254740991\r\n',
    ':9007199254740991\r\n',
  ],
  [
    'one of 64 bits',
    (reply) => reply.integer(-(2n ** 63n)),
    ':-9223372036854775808\r\n',
    ':-9223372036854775808\r\n',
  ],
  ['bytes', (reply) => reply.bulk(Uint8Array.of(0, 255, 13)), '$3\r\n\0\xff\r\r\n', '$3\r\n\0\xff\r\r\n'],
  ['text', (reply) => reply.text('é'), '$2\r\n\xc3\xa9\r\n', '$2\r\n\xc3\xa9\r\n'],
  ['nothing', (reply) => reply.nil(), '$-1\r\n', '_\r\n'],
  ['no array', (reply) => reply.nilArray(), '*-1\r\n', '_\r\n'],
  ['a map', (reply) => reply.map(10), '*20\r\n', '%10\r\n'],
  ['a set', (reply) => reply.set(0), '*0\r\n', '~0\r\n'],
  ['a push', (reply) => reply.push(3), '*3\r\n', '>3\r\n'],
  ['a double', (reply) => reply.double(1.5), '$3\r\n1.5\r\n', ',1.5\r\n'],
  ['a boolean', (reply) => reply.boolean(true), ':1\r\n', '#t\r\n'],
  [
    'a big number',
    (reply) => reply.bigNumber(2n ** 70n),
    '$22\r\n1180591620717411303424\r\n',
    '(1180591620717411303424\r\n',
  ],
  ['verbatim text', (reply) => reply.verbatim('txt', 'aé'), '$3\r\naÃ©\r\n', '=7\r\ntxt:aÃ©\r\n'],
];

it.each(cases)('writes %s', (_, write, second, third) => {
  expect(written(2, write)).toBe(second);
  expect(written(3, write)).toBe(third);
});

it('writes an array whose length is known at its end, others within it', () => {
  for (const count of [0, 9, 10, 12_345]) {
    const text = written(2, (reply) => {
      const outer = reply.beginArray();
      const inner = reply.beginArray();
      for (let index = 0; index < count; index++) reply.integer(1);
      reply.endArray(inner, count);
      reply.ok();
      reply.endArray(outer, 2);
    });
    expect(text).toBe(`*2\r\n*${count}\r\n${':1\r\n'.repeat(count)}+OK\r\n`);
  }
});

it('grows, goes back, and gives what it has in memory of its own', () => {
  const reply = new ReplyWriter();
  reply.ok();
  const { length } = reply;
  const long = Buffer.alloc(1_000_000, 'x');
  reply.bulk(long);
  reply.rollBack(length);
  reply.bulk(long);
  const taken = reply.take();
  reply.error('ERR next');
  expect(taken.toString()).toBe(`+OK\r\n$1000000\r\n${long.toString()}\r\n`);
  expect(reply.take().toString()).toBe('-ERR next\r\n');
  expect(reply.length).toBe(0);
});
