/** The checks themselves: each is shown a stream that breaks its guarantee and no other. */
import { describe, expect, test } from 'vitest';
import type { Entry, WatchEvent, WatchMessage, WatchRequest } from '../../src/api.ts';
import { type WatchGuarantee, WatchValidator, type WatchViolation } from '../support/watch-validator.ts';
import { TrueHistory } from './true-history.ts';

const EMPTY = new Uint8Array(0);

/** 1: puts a. 2: puts a again and b. 3: deletes a. 4: touches b. 5: puts c. */
const history = new TrueHistory();
history.add([{ type: 'put', key: 'a', value: Buffer.from('1') }]);
history.add([
  { type: 'put', key: 'a', value: Buffer.from('2') },
  { type: 'put', key: 'b', value: Buffer.from('3') },
]);
history.add([{ type: 'delete', key: 'a' }]);
history.add([{ type: 'touch', key: 'b' }]);
history.add([{ type: 'put', key: 'c', value: Buffer.from('4') }]);

const all: WatchRequest = { startRevision: 1, returnPrevious: true, eventTypes: ['put', 'delete', 'touch'] };

/** What a watch from the first revision on should say. */
const [first, second, third, fourth, fifth] = [1, 2, 3, 4, 5].map(eventsOf) as [
  Events,
  Events,
  Events,
  Events,
  Events,
];
const synced: WatchMessage = { kind: 'synced', revision: 5, incarnation: '' };
const whole: readonly WatchMessage[] = [first, second, third, fourth, fifth, synced];

type Events = Extract<WatchMessage, { readonly kind: 'events' }>;

describe('a stream that keeps its promises is accepted', () => {
  test.each<[string, WatchRequest, readonly WatchMessage[]]>([
    ['from the first revision', all, whole],
    ['from a later one', { ...all, startRevision: 4 }, [fourth, fifth, synced]],
    ['in fragments', all, [first, ...fragmentsOf(second), third, fourth, fifth, synced]],
    [
      'with progress',
      all,
      [
        ...whole,
        { kind: 'progress', revision: 5, incarnation: '' },
        { kind: 'progress', revision: 5, incarnation: '' },
      ],
    ],
    ['of one key', { ...all, ranges: [{ key: 'c' }] }, [fifth, synced]],
    ['of one type', { ...all, eventTypes: ['touch'] }, [fourth, synced]],
    ['of what comes next', {}, [synced]],
    ['of the present entries', { includeCurrent: true }, [presentEntries(), synced]],
  ])('%s', (_, request, messages) => {
    const validator = validate(request, messages);
    validator.expectCaughtUp(5);
    expect(validator.cursor).toBe(5);
  });
});

describe('a stream is found out that is not', () => {
  test.each<[WatchGuarantee, string, WatchRequest, readonly WatchMessage[]]>([
    ['ordered', 'goes back', all, [first, second, { kind: 'synced', revision: 2, incarnation: '' }, first]],
    ['ordered', 'is synced twice', all, [...whole, synced]],
    [
      'ordered',
      'tells of progress before it is synced',
      all,
      [{ kind: 'progress', revision: 0, incarnation: '' }],
    ],
    ['ordered', 'has present entries that nobody asked for', all, [presentEntries()]],
    ['ordered', 'has events before the present entries are told', { includeCurrent: true }, [fifth]],
    ['unique', 'comes twice', all, [first, second, second]],
    ['gap-free', 'leaves out a revision', all, [first, third]],
    ['gap-free', 'begins too late', all, [second]],
    ['atomic', 'leaves out an event', all, [first, { ...second, events: second.events.slice(1) }]],
    [
      'atomic',
      'has the events in another order',
      all,
      [first, { ...second, events: second.events.toReversed() }],
    ],
    [
      'atomic',
      'has an event too many',
      all,
      [{ ...first, events: [...first.events, ...second.events.slice(1)] }],
    ],
    [
      'atomic',
      'goes on before a revision is whole',
      all,
      [first, ...fragmentsOf(second).slice(0, 1), synced],
    ],
    [
      'right',
      'has another value',
      all,
      [withEvent(first, (event) => ({ ...event, entry: entryWith(event, 'x') }))],
    ],
    [
      'right',
      'has another reason',
      all,
      [first, second, withEvent(third, (event) => ({ ...event, reason: 'expired' }) as WatchEvent)],
    ],
    [
      'right',
      'tells of an expired entry where none was',
      all,
      [withEvent(first, (event) => ({ ...event, replacedExpired: true }) as WatchEvent)],
    ],
    ['right', 'has a revision that was never taken', all, [...whole, { ...fifth, revision: 6 }]],
    ['right', 'has a time that goes back', all, [first, { ...second, commitTimeMs: first.commitTimeMs - 1 }]],
    ['right', 'lacks a present entry', { includeCurrent: true }, [presentEntries(1), synced]],
    [
      'previous right',
      'has none',
      all,
      [first, withEvent(second, (event) => ({ ...event, previous: undefined }))],
    ],
    [
      'previous right',
      'has a later one',
      all,
      [first, second, withEvent(third, (event) => ({ ...event, previous: history.entryAt(1, 'a') }))],
    ],
    [
      'progress true',
      'claims to be synced too early',
      all,
      [first, { kind: 'synced', revision: 2, incarnation: '' }],
    ],
    [
      'progress true',
      'claims progress too early',
      all,
      [
        first,
        { kind: 'synced', revision: 1, incarnation: '' },
        { kind: 'progress', revision: 2, incarnation: '' },
      ],
    ],
  ])('%s: it %s', (guarantee, _, request, messages) => {
    expect(() => validate(request, messages)).toThrow(violationOf(guarantee));
  });

  test('gap-free: it ends before all has come', () => {
    const validator = validate(all, [first, second, { kind: 'synced', revision: 2, incarnation: '' }]);
    expect(() => validator.expectCaughtUp(5)).toThrow(violationOf('gap-free'));
    expect(() => validate(all, [first]).expectCaughtUp(1)).toThrow(violationOf('gap-free'));
  });

  test('resumable: it ends and says to go on behind what was not sent', () => {
    expect(() => validate(all, [first]).expectResumable(3)).toThrow(violationOf('resumable'));
    expect(() => validate(all, [first]).expectResumable(2)).not.toThrow();
  });

  test('atomic: it ends within a revision', () => {
    const validator = validate(all, [first, ...fragmentsOf(second).slice(0, 1)]);
    expect(() => validator.expectResumable(3)).toThrow(violationOf('atomic'));
  });
});

function validate(request: WatchRequest, messages: readonly WatchMessage[]): WatchValidator {
  const validator = new WatchValidator(request, history, { revision: 5, nowMs: 0 });
  for (const message of messages) validator.accept(message);
  return validator;
}

function violationOf(guarantee: WatchGuarantee): WatchViolation {
  return expect.objectContaining({ name: 'WatchViolation', guarantee }) as WatchViolation;
}

function eventsOf(revision: number): Events {
  const events = history.eventsAt(revision).map(({ type, key, reason, before, after }): WatchEvent => {
    if (type === 'delete')
      return { type, key, modRevision: revision, reason: reason ?? 'requested', previous: before };
    if (after === undefined) throw new Error('an entry follows');
    return { type, entry: type === 'touch' ? { ...after, value: EMPTY } : after, previous: before };
  });
  return {
    kind: 'events',
    revision,
    incarnation: '',
    commitTimeMs: 1000 + revision,
    events,
    moreFragments: false,
  };
}

function fragmentsOf(message: Events): WatchMessage[] {
  const { length } = message.events;
  return message.events.map((event, index) => ({
    ...message,
    events: [event],
    moreFragments: index < length - 1,
  }));
}

function presentEntries(count = 2): WatchMessage {
  return { kind: 'current', revision: 5, incarnation: '', entries: history.entriesAt(5, {}).slice(0, count) };
}

function withEvent(message: Events, change: (event: WatchEvent) => WatchEvent): WatchMessage {
  const [event, ...others] = message.events;
  if (event === undefined) throw new Error('a message has an event');
  return { ...message, events: [change(event), ...others] };
}

function entryWith(event: WatchEvent, value: string): Entry {
  if (event.type === 'delete') throw new Error('a delete has no entry');
  return { ...event.entry, value: Buffer.from(value) };
}
