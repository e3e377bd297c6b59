/** What the document says of the operations on one key, besides what stands in their tables. */
import { type AboutOperation, binary, json, tagged } from './about.ts';
import { aboutReads } from './about-reads.ts';
import { ref } from './schemas.ts';

const entityTag = { type: 'string', examples: ['"4c1d5b9a07e2-17"'] };
const conditions = {
  'If-Match': 'Goes ahead only if the key has one of these entity tags; `*`: if it exists.',
  'If-None-Match': 'Goes ahead only if it has none of them; `*`: if it does not exist.',
};
const ofEntry = {
  ETag: entityTag,
  'Kelp-Revision': { type: 'integer' },
  'Kelp-Mod-Revision': { type: 'integer' },
  'Kelp-Create-Revision': { type: 'integer' },
  'Kelp-Version': { type: 'integer' },
};
const ofSome = {
  'Kelp-Lease': { type: 'integer', description: 'The lease that the key is attached to.' },
  Expires: { type: 'string', description: 'When its time to live ends, cut to seconds.' },
};

export const aboutKeys: Readonly<Record<string, AboutOperation>> = {
  'GET /v1/keys/{key}': {
    operationId: 'readKey',
    summary: 'Reads the bytes of a value.',
    parameters: { revision: 'The revision to read at; left out: the newest.', ...aboutReads },
    requestHeaders: { ...conditions, Range: 'A part of the value: `bytes=0-99`.' },
    replies: {
      200: tagged('The value.', ofEntry, binary, ofSome),
      206: tagged(
        'The part that was asked for.',
        { ...ofEntry, 'Content-Range': { type: 'string' } },
        binary,
        ofSome,
      ),
      304: tagged('The client has the value.', ofEntry, undefined, ofSome),
    },
    problems: [400, 404, 409, 410, 412, 416],
  },
  'PUT /v1/keys/{key}': {
    operationId: 'writeKey',
    summary: 'Writes a value: the body, byte by byte.',
    parameters: {
      ttl: 'The time to live; left out: for ever.',
      lease: 'The lease that the key is attached to; left out: none.',
    },
    requestHeaders: conditions,
    body: { description: 'The value.', content: binary },
    replies: {
      200: tagged(
        'Written in place of another value.',
        { ETag: entityTag },
        json(ref('Written'), {
          revision: 2,
          createRevision: 1,
          version: 2,
          created: false,
        }),
      ),
      201: tagged(
        'Written; there was no such key.',
        { ETag: entityTag },
        json(ref('Written'), {
          revision: 1,
          createRevision: 1,
          version: 1,
          created: true,
        }),
      ),
    },
    problems: [400, 404, 412, 413, 415],
  },
  'DELETE /v1/keys/{key}': {
    operationId: 'deleteKey',
    summary: 'Deletes a key.',
    parameters: {},
    requestHeaders: conditions,
    replies: { 200: tagged('Deleted.', {}, json(ref('Deleted'), { revision: 3, deleted: true })) },
    problems: [400, 404, 412],
  },
  'POST /v1/keys/{key}/increment': {
    operationId: 'incrementKey',
    summary: 'Adds to a number that is kept as decimal text; a key that is not there counts as 0.',
    parameters: {},
    body: {
      description: 'Left out: adds 1. `ttl` is that of a key that this makes.',
      content: json(ref('Increment'), { delta: 5, ttl: '1h' }),
      isOptional: true,
    },
    replies: {
      200: tagged(
        'The number behind the addition, as text.',
        {},
        json(ref('Incremented'), { value: '5', revision: 4 }),
      ),
    },
    problems: [400, 409, 413, 415],
  },
};
