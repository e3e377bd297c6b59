/**
 * How keys stand on the command line and in what is printed for people: as text, or with `--hex-keys` as hexadecimal
 * digits, for keys that are not UTF-8, which no argument can hold. JSON has keys in one form, whatever stands here.
 */
import type { Key } from '../../api.ts';
import { displayKey } from '../terminal/display.ts';
import { UsageError } from '../../shell-words/usage-error.ts';

export interface KeyForm {
  /** The key, prefix or bound that was typed. Throws a `UsageError`. */
  readonly read: (typed: string) => Key;
  readonly show: (key: Key) => string;
}

export const textKeys: KeyForm = { read: (typed) => typed, show: displayKey };

export const hexKeys: KeyForm = {
  read(typed) {
    // As keys that are not UTF-8 are shown without --hex-keys.
    const digits = typed.startsWith('0x') ? typed.slice(2) : typed;
    if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) {
      throw new UsageError(
        `${JSON.stringify(typed)} is no key in hexadecimal digits, two for each byte, as --hex-keys asks for`,
      );
    }
    return Buffer.from(digits, 'hex');
  },
  show: (key) => Buffer.from(key).toString('hex'),
};
