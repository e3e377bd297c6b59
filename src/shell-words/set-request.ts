/** The words of SET. */
import type { Key } from '../api-value.ts';
import { shown, toKey, toMilliseconds, toOption, toTtlMs } from './arguments.ts';
import type { Word } from './split-words.ts';
import { UsageError } from './usage-error.ts';

export interface SetOptions {
  readonly ttlMs?: number;
  /** Only if there is no such key, or only if there is one. */
  readonly only?: 'new' | 'existing';
  /** The outcome tells the value before. */
  readonly returnPrevious?: boolean;
}

/** What SET is asked for. */
export interface SetRequest {
  readonly key: Key;
  readonly value: Uint8Array;
  readonly options: SetOptions;
}

/** What Redis has, and why it is not here. */
const refusedOptions: Readonly<Record<string, string>> = {
  KEEPTTL: 'a SET replaces the time to live with the value; give EX',
  EXAT: 'give the time from now on, with EX',
  PXAT: 'give the time from now on, with PX',
};

/** Throws a `UsageError`. */
export function parseSet(words: readonly Word[]): SetRequest {
  const [key, value] = words;
  if (key === undefined || value === undefined) throw new UsageError('SET takes a key and a value');
  let options: SetOptions = {};
  const rest = words.slice(2);
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    options = withOption(options, word, rest);
  }
  return { key: toKey(key), value: value.bytes, options };
}

/** @param rest what follows the option; what belongs to it is taken from there. */
function withOption(options: SetOptions, word: Word, rest: Word[]): SetOptions {
  const name = toOption(word);
  switch (name) {
    case 'EX':
    case 'PX': {
      const time = rest.shift();
      if (time === undefined) throw new UsageError(`${name} lacks its time`);
      if (options.ttlMs !== undefined) throw new UsageError('the time to live is given twice');
      return { ...options, ttlMs: name === 'EX' ? toTtlMs(time) : toMilliseconds(time) };
    }
    case 'NX':
    case 'XX':
      if (options.only !== undefined) throw new UsageError('give NX or XX, once');
      return { ...options, only: name === 'NX' ? 'new' : 'existing' };
    case 'GET':
      return { ...options, returnPrevious: true };
    default: {
      const why = refusedOptions[name];
      throw new UsageError(
        why === undefined
          ? `${shown(word)} is no option of SET; a value with blanks stands in quotes`
          : `there is no ${name} here: ${why}`,
      );
    }
  }
}
