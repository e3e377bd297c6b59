/**
 * Calls with very many keys hold no other connection up: what runs between two turns of the event loop looks at a bounded number of
 * words, by their count and not by the time that it takes.
 */
import { expect, it, onTestFinished, vi } from 'vitest';
import { fixed, serverFixed } from '../../../../src/limits.ts';
import { PlacedArguments } from '../../../../src/server/redis/protocol/placed-arguments.ts';
import { redisRows } from '../../../../src/server/redis/redis-rows.ts';
import type { ErrorReply } from '../support/decoded-reply.ts';
import { DoorHarness } from '../support/door-harness.ts';
import { toRequest } from '../support/words.ts';

const KEYS = 50_000;
const keys = Array.from({ length: KEYS }, (_, index) => `key:${index}`);

it.each([
  ['MGET', (reply: unknown) => expect(reply).toHaveLength(KEYS)],
  ['EXISTS', (reply: unknown) => expect(reply).toBe(2)],
  ['TOUCH', (reply: unknown) => expect(reply).toBe(2)],
] as const)('%s of 50,000 keys makes objects of 1,000 words in a turn', async (name, check) => {
  const harness = await open();
  const client = harness.connect();
  client.send('MSET', 'key:0', 'first', `key:${KEYS - 1}`, 'last');
  await harness.settled();
  client.replies();
  const { counts } = countWords(harness);
  client.send(name, ...keys);
  while (client.wire.written.length === 0) await harness.settled();
  for (let turn = 0; turn < KEYS / serverFixed.elementsPerSlice + 5; turn++) await harness.settled();
  const [reply] = client.replies();
  check(reply);
  if (Array.isArray(reply)) expect([reply[0], reply[1], reply.at(-1)]).toEqual(['first', null, 'last']);
  expect(counts.length).toBeGreaterThan(KEYS / serverFixed.elementsPerSlice - 2);
  expect(Math.max(...counts)).toBeLessThanOrEqual(serverFixed.elementsPerSlice + 5);
});

it.each(['SINTER', 'SUNION', 'SDIFF', 'PFCOUNT', 'DEL', 'UNLINK'])(
  '%s of more keys than one call looks at stops where that is known',
  async (name) => {
    const harness = await open();
    const client = harness.connect();
    const { counts } = countWords(harness);
    const words = Array.from({ length: 2 * fixed.requestVisitsMax }, () => 'k');
    client.connection.receive(toRequest([name, ...words]));
    await harness.settled();
    const [reply] = client.replies();
    expect((reply as ErrorReply).text).toMatch(/looks at more than/);
    expect(Math.max(...counts)).toBeLessThanOrEqual(fixed.requestVisitsMax + 5);
  },
);

it('values that are long end a piece sooner', async () => {
  const harness = await open();
  const client = harness.connect();
  const long = 'x'.repeat(100_000);
  const count = 200;
  for (let index = 0; index < count; index += 50) {
    client.send('MSET', ...Array.from({ length: 50 }, (_, at) => [`key:${index + at}`, long]).flat());
    await harness.settled();
  }
  client.replies();
  const { counts } = countWords(harness);
  client.send('MGET', ...keys.slice(0, count));
  for (let turn = 0; turn < 60; turn++) await harness.settled();
  const [reply] = client.replies();
  expect(reply).toHaveLength(count);
  expect((reply as string[]).every((value) => value.length === long.length)).toBe(true);
  expect(Math.max(...counts)).toBeLessThanOrEqual(fixed.turnBytesMax / long.length + 5);
});

it('keys that are long end a piece sooner', async () => {
  const harness = await open();
  const client = harness.connect();
  client.send('EXISTS', ...keys.slice(0, 3000).map((key) => key.padEnd(fixed.keyBytesMax, '.')));
  for (let turn = 0; turn < 30; turn++) await harness.settled();
  expect(client.replies()).toEqual([0]);
});

function open(): Promise<DoorHarness> {
  return DoorHarness.open({ rows: redisRows.filter((row) => !('session' in row)) });
}

/** Counts the words that are made objects of, by turn. */
function countWords(harness: DoorHarness): { readonly counts: number[] } {
  const counts: number[] = [];
  const words = vi.spyOn(PlacedArguments.prototype, 'bytes');
  const yieldNow = harness.seam.clock.yieldNow.bind(harness.seam.clock);
  const turns = vi.spyOn(harness.seam.clock, 'yieldNow').mockImplementation((run) => {
    yieldNow(() => {
      counts.push(words.mock.calls.length);
      words.mockClear();
      run();
    });
  });
  onTestFinished(() => {
    words.mockRestore();
    turns.mockRestore();
  });
  return { counts };
}
