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
import { factsOfWord } from '../../../shell-words/word-facts.ts';
import { toKey, toTtlMs } from '../../../shell-words/arguments.ts';

const ttl = command(
  factsOfWord('TTL'),
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
  factsOfWord('EXPIRE'),
  (words) => ({ key: toKey(wordAt(words, 0)), ttlMs: toTtlMs(wordAt(words, 1)) }),
  ({ key, ttlMs }, { store }) => touch(store, key, ttlMs),
);

const persist = command(
  factsOfWord('PERSIST'),
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
