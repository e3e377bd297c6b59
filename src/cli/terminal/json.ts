/**
 * What `--json` prints. Names are those of the TypeScript client. A value that is UTF-8 is a text, any other
 * `{"base64": "..."}`, and so it is with keys in lists; an entry or event whose key is not UTF-8 has an empty `key`, and
 * the key in base64 as `keyBytes`. Times are ISO 8601; what is absent is left out.
 */
import type { Key, NamedKey } from '../../api.ts';
import type { Entry } from '../../client/messages/entry.ts';
import type { OperationResult, TxnResult, WatchEvent, WatchMessage } from '../../client/messages/types.ts';
import { textOf } from './display.ts';

type JsonObject = Record<string, unknown>;

export function valueJson(value: Uint8Array): unknown {
  return textOf(value) ?? { base64: Buffer.from(value).toString('base64') };
}

/** A key in a list. */
export function listedKeyJson(key: Key): unknown {
  return typeof key === 'string' ? key : valueJson(key);
}

/** What names a key in an entry or event. */
export function keyJson({ key, keyBytes }: NamedKey): JsonObject {
  return { key, ...(keyBytes && { keyBytes: Buffer.from(keyBytes).toString('base64') }) };
}

/** `hasValue` is false where only keys were asked for: an empty text would look like an empty value. */
export function entryJson(entry: Entry, hasValue = true): JsonObject {
  const { value, createRevision, modRevision, version, leaseId, expireTimeMs } = entry;
  return {
    ...keyJson(entry),
    ...(hasValue && { value: valueJson(value) }),
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

function resultJson(result: OperationResult): JsonObject {
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
  }
}

export function watchJson(message: WatchMessage, hasValue: boolean): JsonObject {
  switch (message.kind) {
    case 'current': {
      const entries = message.entries.map((entry) => entryJson(entry, hasValue));
      const { kind, revision, incarnation } = message;
      return { kind, revision, incarnation, entries };
    }
    case 'events': {
      const { kind, revision, incarnation, commitTimeMs, events } = message;
      return {
        kind,
        revision,
        incarnation,
        commitTime: timeJson(commitTimeMs),
        events: events.map((event) => eventJson(event, hasValue)),
      };
    }
    default:
      return { ...message };
  }
}

function eventJson(event: WatchEvent, hasValue: boolean): JsonObject {
  if (event.type === 'delete') {
    const { type, modRevision, reason, previous } = event;
    return { type, ...keyJson(event), modRevision, reason, ...previousJson(previous, hasValue) };
  }
  const { type, entry, previous } = event;
  return {
    type,
    entry: entryJson(entry, hasValue && type === 'put'),
    ...previousJson(previous, hasValue),
  };
}
