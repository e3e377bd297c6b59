/** An entry as the client hands it out: the plain one, and methods that read its value. */
import type { EntryShape } from '../../../gen/kelp/v1/types_codec.ts';
import { ValueType as ValueTypeNumber } from '../../../gen/kelp/v1/types_codec.ts';
import type { Entry as PlainEntry, ValueType } from '../../api.ts';
import { toMilliseconds } from './scalar.ts';

const typeByNumber: Readonly<Record<number, ValueType>> = {
  [ValueTypeNumber.HASH]: 'hash',
  [ValueTypeNumber.LIST]: 'list',
  [ValueTypeNumber.SET]: 'set',
  [ValueTypeNumber.SORTED_SET]: 'sortedSet',
  [ValueTypeNumber.STREAM]: 'stream',
  [ValueTypeNumber.BLOOM_FILTER]: 'bloomFilter',
};

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A key with its value, as of one revision. */
export class Entry implements PlainEntry {
  readonly key: string;
  /** Declared only: it is not there when the key is text. */
  declare readonly keyBytes?: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly leaseId: number;
  readonly expireTimeMs: number;
  /** Declared only: it is not there when the key holds plain bytes. */
  declare readonly type?: ValueType;

  /** @internal */
  constructor(message: EntryShape) {
    this.key = message.key;
    if (message.keyBytes.length > 0) this.keyBytes = message.keyBytes;
    this.value = message.value;
    this.createRevision = message.createRevision;
    this.modRevision = message.modRevision;
    this.version = message.version;
    this.leaseId = message.leaseId;
    this.expireTimeMs = toMilliseconds(message.expireTime);
    const type = typeByNumber[message.type];
    if (type !== undefined) this.type = type;
  }

  /** The value as text. Throws a `TypeError` when it is not UTF-8, rather than give back something else. */
  text(): string {
    return utf8.decode(this.value);
  }

  /** The value as JSON. Throws a `TypeError` or `SyntaxError` when it is none. The caller checks its shape. */
  json(): unknown {
    return JSON.parse(this.text());
  }
}

/** @internal A copy that keeps alive nothing of the message that it came in. @param value what it is to hold. */
export function copyOfEntry(entry: Entry, value: Uint8Array): Entry {
  const { keyBytes } = entry;
  const copy = Object.assign(Object.create(Entry.prototype) as Entry, entry, { value: value.slice() });
  return keyBytes === undefined ? copy : Object.assign(copy, { keyBytes: keyBytes.slice() });
}

/** @internal What an optional field of a reply holds. */
export function toEntry(message: EntryShape | undefined): Entry | undefined {
  return message === undefined ? undefined : new Entry(message);
}
