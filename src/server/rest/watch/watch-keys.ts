/**
 * `GET /v1/watch`: changes as Server-Sent Events, for `EventSource` and everything else that reads a stream of lines.
 *
 * A reader that lost its stream comes again with the id of the last event that it has seen, in `Last-Event-ID`, and the stream goes on
 * behind that: nothing is left out and nothing comes twice. Where that is not possible, since history differs or is not kept any more, the
 * answer is a problem: by a status that is not 200 `EventSource` stops, and tells its page so, which has to read anew. What
 * is over soon (the server starts or stops, a limit was reached) it must not stop for, so one that says that it reads events
 * is given a stream that ends at once, and comes again.
 */
import { checkRange } from '../../../access/checks.ts';
import type { EventType, KeyRange, WatchRequest } from '../../../api.ts';
import { StoreError } from '../../../errors.ts';
import { fixed, serverFixed } from '../../../limits.ts';
import type { KvStore } from '../../../kv/kv-store.ts';
import { type Operation, operation } from '../operation.ts';
import type { Problem } from '../problem.ts';
import {
  durationParameter,
  flagParameter,
  keyParameter,
  type QueryOf,
  textParameter,
  wholeNumberParameter,
} from '../query.ts';
import { JSON_REPLY_COPIES } from '../replies/json-reply.ts';
import { sendProblem } from '../rest-api.ts';
import type { RestCall } from '../rest-call.ts';
import { parseShortPlace } from '../short-place.ts';
import { EventStream, eventStreamHeaders } from './event-stream.ts';
import { errorText, retryText } from './event-text.ts';

const EVENT_TYPES: readonly EventType[] = ['put', 'delete', 'touch'];

const query = {
  key: keyParameter,
  prefix: keyParameter,
  start: keyParameter,
  end: keyParameter,
  start_revision: wholeNumberParameter,
  incarnation: textParameter,
  include_current: flagParameter,
  events: eventTypesParameter,
  keys_only: flagParameter,
  previous: flagParameter,
  progress_interval: progressIntervalParameter,
};

export const watchKeys: Operation = operation({
  method: 'GET',
  template: '/v1/watch',
  countsAs: 'Watch',
  runsAt: 'caughtUp',
  query,
  isStream: true,
  needs: (login, _, given) => checkRange(login, 'read', rangeOf(given)),
  writeProblem: writeWatchProblem,
  async run(call, given) {
    if (call.isHead) return call.sendHead(200, eventStreamHeaders);
    call.call.replyCopies = JSON_REPLY_COPIES;
    const start = resumed(call.store, call.header('last-event-id')) ?? startOf(given);
    await new EventStream(call, { ...requestOf(given), ...start }).send();
  },
});

/** A list of types, with commas between. */
export function eventTypesParameter(encoded: string, name: string): EventType[] {
  const types = textParameter(encoded, name).split(',');
  return types.map((type) => {
    const known = EVENT_TYPES.find((each) => each === type);
    if (known !== undefined) return known;
    throw wrong(
      name,
      `has ${JSON.stringify(type.slice(0, 100))}; it is one or several of put, delete and touch`,
    );
  });
}

export function progressIntervalParameter(encoded: string, name: string): number {
  const ms = durationParameter(encoded, name);
  if (ms >= fixed.progressIntervalMsMin && ms <= fixed.ttlMsMax) return ms;
  throw wrong(name, `must be ${fixed.progressIntervalMsMin}ms to 100 years`);
}

function wrong(name: string, why: string): StoreError {
  return new StoreError('invalidArgument', `the parameter ${name} ${why}`);
}

function rangeOf({ key, prefix, start, end }: QueryOf<typeof query>): KeyRange {
  if (key?.length === 0) throw wrong('key', 'is empty; leave it out to watch all keys');
  return {
    ...(key && { key }),
    ...(prefix && { prefix }),
    ...(start && { start }),
    ...(end && { end }),
  };
}

function requestOf(given: QueryOf<typeof query>): WatchRequest {
  return {
    ranges: [rangeOf(given)],
    keysOnly: given.keys_only ?? false,
    returnPrevious: given.previous ?? false,
    ...(given.events && { eventTypes: given.events }),
    ...(given.progress_interval !== undefined && { progressIntervalMs: given.progress_interval }),
  };
}

/** Where a watch begins. */
type Start = Pick<WatchRequest, 'startRevision' | 'incarnation' | 'includeCurrent'>;

function startOf(given: QueryOf<typeof query>): Start {
  const {
    start_revision: startRevision = 0,
    incarnation = '',
    include_current: includeCurrent = false,
  } = given;
  if (startRevision > 0 && includeCurrent) {
    throw new StoreError('invalidArgument', 'give start_revision or include_current=true, not both');
  }
  return { startRevision, incarnation, includeCurrent };
}

/** Behind the last event that a reader has seen; `undefined`: it has seen none. */
function resumed(store: KvStore, id: string | undefined): Start | undefined {
  if (id === undefined || id === '') return undefined;
  const place = parseShortPlace(id);
  if (place === undefined) {
    throw new StoreError('invalidArgument', 'last-event-id is no id of an event, such as 4c1d5b9a07e2-17');
  }
  const { revision, incarnationHead } = place;
  const incarnation = incarnationHead === '' ? '' : store.incarnationWith(incarnationHead);
  const isKnown = incarnationHead === '' ? store.incarnationOf(revision) === '' : incarnation !== '';
  if (!isKnown) throw otherHistory(revision, incarnationHead, store);
  return { startRevision: revision + 1, incarnation };
}

function otherHistory(revision: number, requestedIncarnation: string, store: KvStore): StoreError {
  const newestRevision = store.visibleRevision;
  return new StoreError(
    'historyDiffers',
    `the watch goes on behind revision ${revision} of an incarnation (${requestedIncarnation || 'not known'}) that this store does not have: it is another store, or its files were put back from a copy. Read the present state and go on from there`,
    {
      requestedRevision: revision,
      requestedIncarnation,
      incarnation: revision <= newestRevision ? store.incarnationOf(revision) : '',
      sharedRevision: 0,
      sharedIncarnation: '',
      newestRevision,
    },
  );
}

const retryMsByStatus: Readonly<Record<number, number>> = {
  503: serverFixed.eventsRetryMs,
  429: serverFixed.eventsRefusedRetryMs,
};

function writeWatchProblem(call: RestCall, problem: Problem): void {
  const retryMs = retryMsByStatus[problem.status];
  if (retryMs === undefined || !readsEvents(call)) return sendProblem(call, problem);
  call.send(200, eventStreamHeaders, retryText(retryMs) + errorText(problem));
}

function readsEvents(call: RestCall): boolean {
  return /(?:^|,)\s*text\/event-stream\b/i.test(call.header('accept') ?? '');
}
