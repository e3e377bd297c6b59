/** What goes in and out as JSON, as schemas of the document: those of `api-json.ts`, `json/txn-form.ts` and `problem.ts`. */
import { fixed } from '../../../limits.ts';

export type Json = Readonly<Record<string, unknown>>;

const text = { type: 'string' };
const flag = { type: 'boolean' };
const base64 = { type: 'string', contentEncoding: 'base64' };
const wholeNumber = { type: 'integer', minimum: 0, maximum: fixed.integerMax };
const revision = { ...wholeNumber, description: 'A revision of the store.' };
const incarnation = {
  type: 'string',
  pattern: '^([0-9a-f]{32}|)$',
  description: 'The life of the store that wrote `revision`; empty where that is not known.',
};
const time = { type: 'string', format: 'date-time' };
const duration = {
  type: 'string',
  description: 'With its unit: `500ms`, `30s`, `1h30m`, `7d`.',
  examples: ['30s'],
};
const int64 = {
  description: 'A whole number of 64 bits; one beyond 2^53 - 1 as text.',
  oneOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?\\d{1,20}$' }],
};

export function ref(name: keyof typeof schemas): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function object(properties: Json, required: readonly string[] = Object.keys(properties)): Json {
  return { type: 'object', properties, required, additionalProperties: false };
}

function lists(items: Json): Json {
  return { type: 'array', items };
}

/** Each is an object with the one member that says what it is. */
function oneMember(schemaByName: Readonly<Record<string, Json>>): Json {
  return { oneOf: Object.entries(schemaByName).map(([name, schema]) => object({ [name]: schema })) };
}

const named = {
  key: text,
  keyBytes: { ...base64, description: 'The key where it is not UTF-8; `key` is empty then.' },
};
const keyOrBytes = { key: text, keyBytes: base64 };
const range = {
  ...keyOrBytes,
  prefix: text,
  prefixBytes: base64,
  start: text,
  startBytes: base64,
  end: text,
  endBytes: base64,
};
const entry = object(
  {
    ...named,
    type: {
      type: 'string',
      enum: ['hash', 'list', 'set', 'sortedSet', 'stream', 'bloomFilter'],
      description: 'What the key holds, where that is not a plain value; there is no `value` then.',
    },
    value: { $ref: '#/components/schemas/Value' },
    createRevision: revision,
    modRevision: revision,
    version: { ...wholeNumber, description: '1 when the key was made, one more with each write.' },
    leaseId: wholeNumber,
    expireTime: time,
  },
  ['key', 'createRevision', 'modRevision', 'version'],
);
const entryRef = { $ref: '#/components/schemas/Entry' };
const previous = { previous: entryRef };
const operand = {
  exists: flag,
  value: { $ref: '#/components/schemas/Value' },
  version: int64,
  createRevision: int64,
  modRevision: int64,
  leaseId: int64,
};

const place = { revision, incarnation };

export const schemas = {
  Value: {
    description: 'A value that is UTF-8 as its text, any other in base64.',
    oneOf: [text, object({ base64 })],
  },
  Entry: entry,
  Page: object({ entries: lists(entryRef), nextPageToken: text, ...place }, [
    'entries',
    'revision',
    'incarnation',
  ]),
  Written: object({ revision, createRevision: revision, version: wholeNumber, created: flag }, ['revision']),
  Deleted: object({ revision, deleted: { const: true } }),
  RangeDeleted: object({
    deletedCount: wholeNumber,
    firstRevision: { ...revision, description: 'That of the first part, of a delete in parts.' },
    revision,
  }),
  Increment: object({ delta: int64, ttl: duration }, []),
  Incremented: object({ value: { type: 'string', pattern: '^-?\\d{1,19}$' }, revision }),
  Txn: object(
    {
      compares: lists({ $ref: '#/components/schemas/Compare' }),
      success: lists({ $ref: '#/components/schemas/Operation' }),
      failure: lists({ $ref: '#/components/schemas/Operation' }),
    },
    [],
  ),
  Compare: {
    description:
      'There (at `key`, or at all keys of `range`) holds `relation` to exactly one of the other members.',
    ...object(
      {
        ...keyOrBytes,
        range: object(range, []),
        relation: { enum: ['equal', 'notEqual', 'less', 'greater'], default: 'equal' },
        ...operand,
      },
      [],
    ),
  },
  Operation: oneMember({
    get: object(keyOrBytes, []),
    put: object(
      { ...keyOrBytes, value: operand.value, ttl: duration, leaseId: int64, returnPrevious: flag },
      ['value'],
    ),
    delete: object({ ...keyOrBytes, returnPrevious: flag }, []),
    deleteRange: object({ range: object({ ...range, all: flag }, []) }),
    increment: object({ ...keyOrBytes, delta: int64, ttl: duration }, []),
  }),
  TxnResult: object({
    succeeded: { ...flag, description: 'Whether all compares held, and so which list ran.' },
    revision,
    results: lists(
      oneMember({
        get: object({ entry: entryRef }, []),
        put: object(previous, []),
        delete: object({ deleted: flag, ...previous }, ['deleted']),
        deleteRange: object({ deletedCount: wholeNumber }),
        increment: object({ value: text }),
      }),
    ),
  }),
  WatchEvent: {
    oneOf: [
      object(
        { type: { enum: ['put', 'touch'] }, entry: entryRef, ...previous, replacedExpired: { const: true } },
        ['type', 'entry'],
      ),
      object(
        {
          type: { const: 'delete' },
          ...named,
          modRevision: revision,
          reason: { enum: ['requested', 'expired', 'leaseExpired', 'leaseRevoked', 'evicted'] },
          ...previous,
        },
        ['type', 'key', 'modRevision', 'reason'],
      ),
    ],
  },
  WatchData: {
    description: 'The data of an event of a watch, other than `error`, whose data is a `Problem`.',
    oneOf: [
      object({ kind: { const: 'current' }, ...place, entries: lists(entryRef) }),
      object({ kind: { enum: ['synced', 'progress'] }, ...place }),
      object({
        kind: { const: 'events' },
        ...place,
        commitTime: time,
        events: lists({ $ref: '#/components/schemas/WatchEvent' }),
      }),
    ],
  },
  Problem: {
    description: 'Problem details (RFC 9457). Besides, some codes have members that programs act on.',
    type: 'object',
    properties: {
      type: { type: 'string', pattern: '^urn:kelpdb:error:[a-zA-Z]+$' },
      title: text,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: { ...text, description: 'What was wrong and what to do, for people.' },
      code: { ...text, description: 'For programs.' },
    },
    required: ['type', 'title', 'status', 'detail', 'code'],
  },
} as const;
