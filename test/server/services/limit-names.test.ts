import { expect, test } from 'vitest';
import {
  type SettableLimit,
  defaults,
  limitName,
  limitOptionName,
  serverDefaults,
} from '../../../src/limits.ts';
import { serverOptions } from '../../../src/server/config/server-options.ts';

test('a limit is named by its option of kelp serve, and one of the store by that of openStore too', () => {
  expect(limitName('txnBytesMax')).toBe('txn-bytes-max (option txnBytesMax)');
  expect(limitName('historyAgeMs')).toBe('history-age (option historyAgeMs)');
  expect(limitName('memoryBytesMax')).toBe('memory-limit (option memoryBytesMax)');
  expect(limitName('callsMax')).toBe('calls-max');
});

test('every limit has an option of that name', () => {
  const limits = [...Object.keys(defaults), ...Object.keys(serverDefaults), 'memoryBytesMax'];
  const names = serverOptions.map(({ name }) => name);
  expect(
    limits.map((limit) => limitOptionName(limit as SettableLimit)).filter((name) => !names.includes(name)),
  ).toEqual([]);
});
