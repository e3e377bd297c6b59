/**
 * The one JSON of what the store gives, in which REST answers and the command prints with `--json`.
 *
 * Names are those of the TypeScript client. A value that is UTF-8 is a text, any other `{"base64": "..."}`, and so it is with
 * keys in lists; an entry or event whose key is not UTF-8 has an empty `key`, and the key in base64 as `keyBytes`. Times are
 * ISO 8601; what is absent is left out.
 *
 * A form is a tree for `JSON.stringify`. Values stand in it as `JsonValueOf`, which become text as they are written: a server
 * writes long ones in pieces (`server/json/write-form.ts`).
 */
import type { CollectionResult } from './api-collections.ts';
import type {
  ElementChange,
  ElementChanges,
  Entry,
  Key,
  NamedKey,
  OperationResult,
  TxnResult,
  ValueType,
  WatchCurrent,
  WatchEvent,
  WatchEvents,
} from './api.ts';

export type JsonObject = Record<string, unknown>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of bytes that are UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A value in a form, whose bytes must not change before it is written. */
export class JsonValueOf {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  toJSON(): unknown {
    return textOf(this.bytes) ?? { base64: base64(this.bytes) };
  }
}

export function valueJson(value: Uint8Array): JsonValueOf {
  return new JsonValueOf(value);
}

/** A key in a list. */
export function listedKeyJson(key: Key): unknown {
  return typeof key === 'string' ? key : valueJson(key);
}

/** What names a key in an entry or event. */
export function keyJson({ key, keyBytes }: NamedKey): JsonObject {
  return keyBytes === undefined ? { key } : { key, keyBytes: base64(keyBytes) };
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** `hasValue` is false where only keys were asked for: an empty text would look like an empty value. */
export function entryJson(entry: Entry, hasValue = true): JsonObject {
  const { value, createRevision, modRevision, version, leaseId, expireTimeMs, type } = entry;
  return {
    ...keyJson(entry),
    ...(type !== undefined && { type }),
    ...(hasValue && type === undefined && { value: valueJson(value) }),
    createRevision,
    modRevision,
    version,
    ...(leaseId !== 0 && { leaseId }),
    ...(expireTimeMs !== 0 && { expireTime: timeJson(expireTimeMs) }),
  };
}

/** An entry that may be none; to be spread. */
export function previousJson(previous: Entry | undefined, hasValue = true): JsonObject {
  return previous === undefined ? {} : { previous: entryJson(previous, hasValue) };
}

export function timeJson(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function txnJson({ succeeded, revision, results }: TxnResult): JsonObject {
  return { succeeded, revision, results: results.map((result) => ({ [result.kind]: resultJson(result) })) };
}

/** Of an operation of a transaction, without its kind. */
export function resultJson(result: OperationResult): JsonObject {
  switch (result.kind) {
    case 'get':
      return result.entry === undefined ? {} : { entry: entryJson(result.entry) };
    case 'put':
      return previousJson(result.previous);
    case 'delete':
      return { deleted: result.deleted, ...previousJson(result.previous) };
    case 'deleteRange':
      return { deletedCount: result.deletedCount };
    case 'increment':
      return { value: String(result.value) };
    default:
      return collectionJson(result);
  }
}

/** Bytes as values, and an infinite score as a text. */
function collectionJson(result: CollectionResult): JsonObject {
  const members = Object.entries(result).filter(([name]) => name !== 'kind');
  return Object.fromEntries(members.map(([name, member]) => [name, partJson(member)]));
}

function partJson(part: unknown): unknown {
  if (part instanceof Uint8Array) return valueJson(part);
  if (Array.isArray(part)) return part.map(partJson);
  if (typeof part === 'number') return scoreJson(part);
  if (typeof part !== 'object' || part === null) return part ?? null;
  return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, partJson(member)]));
}

function scoreJson(score: number): number | string {
  return Number.isFinite(score) ? score : String(score);
}

/** What a watch says besides entries and events has a form that is itself. */
interface PlainMessage {
  readonly kind: 'synced' | 'progress' | 'restarted' | 'compacted';
}

/** All events of a revision. */
export function watchJson(message: WatchCurrent | WatchEvents | PlainMessage, hasValue: boolean): JsonObject {
  switch (message.kind) {
    case 'current': {
      const entries = message.entries.map((entry) => entryJson(entry, hasValue));
      const { kind, revision, incarnation } = message;
      return { kind, revision, incarnation, entries };
    }
    case 'events': {
      const { kind, revision, incarnation, commitTimeMs } = message;
      const events = message.events.map((event) => eventJson(event, hasValue));
      return { kind, revision, incarnation, commitTime: timeJson(commitTimeMs), events };
    }
    default:
      return { ...message };
  }
}

export function eventJson(event: WatchEvent, hasValue: boolean): JsonObject {
  if (event.type === 'delete') {
    const { type, modRevision, reason, previous } = event;
    return { type, ...keyJson(event), modRevision, reason, ...previousJson(previous, hasValue) };
  }
  const { type, entry, previous, replacedExpired, elements } = event;
  return {
    type,
    entry: entryJson(entry, hasValue && type === 'put'),
    ...previousJson(previous, hasValue),
    ...(replacedExpired && { replacedExpired }),
    ...(elements !== undefined && { elements: elementsJson(elements, entry.type) }),
  };
}

function elementsJson(
  { changes, isWhole, isLeftOut }: ElementChanges,
  type: ValueType | undefined,
): JsonObject {
  if (isLeftOut) return { isLeftOut };
  return { changes: changes.map((change) => elementJson(change, type)), isWhole };
}

function elementJson(
  { name, value, score, isRemoved }: ElementChange,
  type: ValueType | undefined,
): JsonObject {
  if (type === 'list') return { value: valueJson(value) };
  return {
    name: valueJson(name),
    ...(isRemoved && { isRemoved }),
    ...(!isRemoved && type === 'hash' && { value: valueJson(value) }),
    ...(!isRemoved && type === 'sortedSet' && { score: scoreJson(score) }),
  };
}
