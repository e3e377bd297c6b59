/** Words that a command only looks at lie in memory that the next call uses: none shows up in the place of another. */
import { expect, test } from 'vitest';
import { redisRows, sessionRows } from '../../../../src/server/redis/redis-rows.ts';
import { DoorHarness } from '../support/door-harness.ts';

/** More than a packed hash has, so that fields have keys of their own. */
const FIELDS = 70;
const long = 'w'.repeat(65);

const fields = Array.from({ length: FIELDS }, (_, index) => `f${index + 10}`);
/** All of one length, but for one that is not copied. */
const valueOf = (field: string): string => (field === 'f20' ? long : field.toUpperCase());
const writes = fields.flatMap((field) => [
  ['HSET', 'one', field, valueOf(field)],
  ['HSET', 'two', valueOf(field), field],
]);
const reads = fields.flatMap((field) => [
  ['HGET', 'one', field],
  ['HGET', 'two', valueOf(field)],
]);
const wanted = fields.flatMap((field) => [valueOf(field), field]);

test.each([
  ['one by one', writes],
  ['in one transaction', [['MULTI'], ...writes, ['EXEC']]],
])('fields and values that are written %s stay what they were', async (_, calls) => {
  const isSession = (name: string): boolean => sessionRows.some((row) => row.name === name);
  const rows = redisRows.filter(({ name }) => !isSession(name));
  const harness = await DoorHarness.open({ rows, fsync: 'never' });
  const client = harness.connect();
  client.pipeline(...calls);
  await harness.settled();
  client.replies();
  client.pipeline(...reads);
  await harness.settled();
  expect(client.replies()).toEqual(wanted);
  expect(harness.defects).toEqual([]);
});
