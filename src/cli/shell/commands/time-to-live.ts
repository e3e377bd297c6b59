/** TTL, EXPIRE, PERSIST. A transaction of the store has no such operations. */
import type { Key } from '../../../api.ts';
import { isKelpError } from '../../../client/errors/error.ts';
import { isStoreError } from '../../../errors.ts';
import { exitCode } from '../../process/exit-code.ts';
import { displayDuration } from '../../terminal/display.ts';
import { timeJson } from '../../../api-json.ts';
import { type ShellCommand, command, wordAt } from '../command.ts';
import { KEY_NOT_FOUND, type Reply, reply } from '../reply.ts';
import { type ShellStore, readWithoutValue } from '../store/shell-store.ts';
import { toKey, toTtlMs } from '../words/arguments.ts';

const facts = {
  group: 'Time to live',
  completes: ['key', 'other'],
  inTransaction: 'never',
} as const;

const ttl = command(
  {
    ...facts,
    names: ['TTL'],
    usage: 'key',
    summary: 'tell how long a key has to live',
    details: 'It is counted by the clock of this machine.\n',
    wordsMin: 1,
    wordsMax: 1,
  },
  (words) => toKey(wordAt(words, 0)),
  async (key, { store }) => {
    const entry = await readWithoutValue(store, key);
    if (entry === undefined) return reply(KEY_NOT_FOUND, {}, exitCode.no);
    const { expireTimeMs } = entry;
    if (expireTimeMs === 0) return reply('lives for ever', { exists: true });
    const ttlMs = Math.max(0, expireTimeMs - Date.now());
    return reply(displayDuration(ttlMs), { exists: true, ttlMs, expireTime: timeJson(expireTimeMs) });
  },
);

const expire = command(
  {
    ...facts,
    names: ['EXPIRE'],
    usage: 'key seconds',
    summary: 'give a key a time to live, from now on',
    details: 'In seconds, or with a unit: 500ms, 1h30m, 7d.\n',
    wordsMin: 2,
    wordsMax: 2,
  },
  (words) => ({ key: toKey(wordAt(words, 0)), ttlMs: toTtlMs(wordAt(words, 1)) }),
  ({ key, ttlMs }, { store }) => touch(store, key, ttlMs),
);

const persist = command(
  {
    ...facts,
    names: ['PERSIST'],
    usage: 'key',
    summary: "end a key's time to live: it stays until it is deleted",
    wordsMin: 1,
    wordsMax: 1,
  },
  (words) => toKey(wordAt(words, 0)),
  (key, { store }) => touch(store, key, 0),
);

async function touch(store: ShellStore, key: Key, ttlMs: number): Promise<Reply> {
  try {
    const { revision } = await store.touch(key, { ttlMs });
    return reply('OK', { revision });
  } catch (error) {
    if (!isStoreError(error, 'keyNotFound') && !isKelpError(error, 'keyNotFound')) throw error;
    return reply(KEY_NOT_FOUND, {}, exitCode.no);
  }
}

export const timeToLiveCommands: readonly ShellCommand[] = [ttl, expire, persist];
