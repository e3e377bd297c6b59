/** What the document says of the operations on many keys, and of itself, besides what stands in their tables. */
import { type AboutOperation, json, tagged } from './about.ts';
import { aboutReads } from './about-reads.ts';
import { ref } from './schemas.ts';

const range = {
  prefix: 'Keys that begin so.',
  start: 'Keys from this one on, inclusive.',
  end: 'Keys before this one.',
};
const incarnation = '25d1d919bdc64972e467d1e7dc2cea85';
const entry = { key: 'user:1', value: 'Alice', createRevision: 17, modRevision: 17, version: 1 };

export const aboutStores: Readonly<Record<string, AboutOperation>> = {
  'GET /v1/keys': {
    operationId: 'listKeys',
    summary: 'Reads a page of entries, in the order of the bytes of their keys.',
    description:
      'A page may be short, even empty, before the last: it is the last one when it has no `nextPageToken`.',
    parameters: {
      ...range,
      match: 'Keys that match a glob: `*`, `?`, `[a-z]`, `\\` before what is meant as it is.',
      limit: 'How many at most, up to 10000; left out: 1000.',
      page_token:
        '`nextPageToken` of the page before, with the same other parameters: the page behind it, of the same revision.',
      revision: 'The revision to read at; left out: the newest.',
      keys_only: 'Without values.',
      reverse: 'From the last key to the first.',
      ...aboutReads,
    },
    replies: {
      200: tagged('A page.', {}, json(ref('Page'), { entries: [entry], revision: 17, incarnation })),
    },
    problems: [400, 410],
  },
  'DELETE /v1/keys': {
    operationId: 'deleteKeys',
    summary: 'Deletes all keys of a range.',
    description: 'Which must be said: by `prefix`, by `start`, `end` or both, or by `all=true`.',
    parameters: {
      ...range,
      all: 'All keys there are.',
      in_parts:
        'In as many revisions as it takes, while other calls go on; else in one, or not at all when there are too many keys.',
    },
    replies: {
      200: tagged(
        'How many there were.',
        {},
        json(ref('RangeDeleted'), {
          deletedCount: 2,
          firstRevision: 18,
          revision: 18,
        }),
      ),
    },
    problems: [400],
  },
  'POST /v1/txn': {
    operationId: 'runTxn',
    summary: 'Compares, then runs one of two lists of operations, atomically and in one revision.',
    parameters: {},
    body: {
      description: 'When all of `compares` hold `success` runs, else `failure`.',
      content: json(ref('Txn'), {
        compares: [{ key: 'a', relation: 'equal', value: '1' }],
        success: [{ put: { key: 'a', value: '2', ttl: '30s' } }, { delete: { key: 'b' } }],
        failure: [{ get: { key: 'a' } }],
      }),
    },
    replies: {
      200: tagged(
        'What ran.',
        {},
        json(ref('TxnResult'), {
          succeeded: true,
          revision: 19,
          results: [{ put: {} }, { delete: { deleted: false } }],
        }),
      ),
    },
    problems: [400, 404, 409, 413, 415],
  },
  'GET /v1/watch': {
    operationId: 'watch',
    summary: 'Streams changes as Server-Sent Events.',
    description:
      'Events: those without a name hold all changes of one revision; `current` some of the present entries; `synced` and `progress` say that everything up to a revision was sent; `error`, with a problem, why the stream ends. The id of an event names its revision and who wrote it; `Last-Event-ID` goes on behind it.',
    parameters: {
      key: 'One key.',
      ...range,
      start_revision: 'The first revision to send; left out: only what comes from now on.',
      incarnation:
        'That wrote the revision before `start_revision`: where another one did, the answer is a problem.',
      include_current: 'The present entries first. Not with `start_revision`.',
      events: 'The types of events, with commas between; left out: `put,delete`.',
      keys_only: 'Without values.',
      previous: 'Each event has the entry as it was before.',
      progress_interval: 'How often `progress` comes while there is no event; left out: `10s`.',
    },
    requestHeaders: {
      'Last-Event-ID':
        'The id of the last event that was seen, such as `4c1d5b9a07e2-17`: in place of `start_revision` and `include_current`.',
    },
    replies: {
      200: tagged(
        'The events; the data of each is a `WatchData`, of `error` a `Problem`.',
        {},
        {
          'text/event-stream': {
            schema: { type: 'string' },
            example: `event: synced\ndata: ${JSON.stringify({ kind: 'synced', revision: 17, incarnation })}\nid: ${incarnation.slice(0, 12)}-17\n\n`,
          },
        },
      ),
    },
    problems: [400, 409, 410],
  },
  'GET /v1/openapi.json': {
    operationId: 'readOpenApi',
    summary: 'Reads this document.',
    parameters: {},
    replies: { 200: tagged('The document.', {}, json({ type: 'object' }, { openapi: '3.1.1' })) },
    problems: [400],
    isAlwaysServed: true,
  },
};
