/**
 * Where a shared log lies in etcd, below its prefix (`kelp/main`):
 *
 *   kelp/main/head                    the head
 *   kelp/main/log/0000000000000001    the record at position 1, in 16 hexadecimal digits
 */
import { fixed } from '../limits.ts';

const POSITION_DIGITS = 16;
const POSITION = /^[0-9a-f]{16}$/;

export class LogKeys {
  readonly head: Uint8Array;
  /** Of all records. */
  readonly records: Uint8Array;
  /** Behind all records. */
  readonly recordsEnd: Uint8Array;
  /** All that is below the prefix. */
  readonly first: Uint8Array;
  readonly end: Uint8Array;
  readonly #records: string;

  constructor(prefix: string) {
    this.#records = `${prefix}/log/`;
    this.head = Buffer.from(`${prefix}/head`);
    this.records = Buffer.from(this.#records);
    // '0' is the character behind '/'.
    this.recordsEnd = Buffer.from(`${prefix}/log0`);
    this.first = Buffer.from(`${prefix}/`);
    this.end = Buffer.from(`${prefix}0`);
  }

  record(position: number): Uint8Array {
    return Buffer.from(this.#records + position.toString(16).padStart(POSITION_DIGITS, '0'));
  }

  /** `undefined`: the key is none of a record. */
  positionOf(key: Uint8Array): number | undefined {
    const digits = Buffer.from(key.subarray(this.records.length)).toString('latin1');
    if (!POSITION.test(digits)) return undefined;
    const position = Number.parseInt(digits, 16);
    return position > fixed.integerMax ? undefined : position;
  }
}
