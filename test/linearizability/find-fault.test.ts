/** The checker on histories that are known to be right and known to be wrong. */
import { describe, expect, test } from 'vitest';
import { findFault, findFaultOfKey } from './find-fault.ts';
import type { Call } from './history.ts';
import { ABSENT, PRESENT } from './operation.ts';
import type { Operation, Outcome, Seen, Write } from './operation.ts';

/** When a call was made and when it was answered; one number: it never was. */
type Span = readonly [number, number?];

interface Answer {
  readonly revision?: number;
  readonly isMet?: boolean;
  readonly seen?: Readonly<Record<string, Seen>>;
  readonly sums?: Readonly<Record<string, string>>;
}

function call([calledAt, answeredAt]: Span, operation: Partial<Operation>, answer: Answer = {}): Call {
  const { revision, isMet = true, seen = {}, sums = {} } = answer;
  const outcome: Outcome = {
    isMet,
    revision,
    seen: new Map(Object.entries(seen)),
    sums: new Map(Object.entries(sums)),
  };
  return {
    client: 0,
    operation: {
      method: 'txn',
      pastRevision: undefined,
      conditions: [],
      reads: [],
      writes: [],
      ...operation,
    },
    calledAt,
    answeredAt,
    outcome: answeredAt === undefined ? undefined : outcome,
  };
}

function get(span: Span, key: string, seen: Seen, revision: number): Call {
  return call(span, { method: 'get', reads: [key] }, { revision, seen: { [key]: seen } });
}

function getPast(span: Span, key: string, seen: Seen, pastRevision: number): Call {
  const operation = { method: 'get', pastRevision, reads: [key] } as const;
  return call(span, operation, { revision: pastRevision, seen: { [key]: seen } });
}

function put(span: Span, key: string, value: string, revision?: number): Call {
  return call(
    span,
    { method: 'put', writes: [write(key, value)] },
    revision === undefined ? {} : { revision },
  );
}

function putIf(span: Span, key: string, expected: Seen, value: string, answer?: Answer): Call {
  const conditions = [{ key, expected }];
  return call(span, { method: 'put', conditions, writes: [write(key, value)] }, answer);
}

function increment(span: Span, key: string, sum?: string, revision?: number): Call {
  const operation = { method: 'increment', writes: [{ kind: 'increment', key, delta: 1 }] } as const;
  return call(
    span,
    operation,
    revision === undefined || sum === undefined ? {} : { revision, sums: { [key]: sum } },
  );
}

function write(key: string, value: string): Write {
  return { kind: 'put', key, value };
}

function remove(key: string): Write {
  return { kind: 'delete', key };
}

function add(key: string): Write {
  return { kind: 'increment', key, delta: 1 };
}

function deletion(span: Span, key: string, seen: Seen, revision: number): Call {
  const operation = { method: 'delete', reads: [key], writes: [{ kind: 'delete', key }] } as const;
  return call(span, operation, { revision, seen: { [key]: seen } });
}

function unansweredDeletion(calledAt: number, key: string, conditions: Operation['conditions'] = []): Call {
  return call([calledAt], { conditions, reads: [key], writes: [{ kind: 'delete', key }] });
}

/** A conditional put, answered by what is there instead. Its answer tells no revision. */
function refusedPut(span: Span, key: string, expected: Seen, seen: Seen): Call {
  return putIf(span, key, expected, 'refused', { isMet: false, seen: { [key]: seen } });
}

function is(value: string, modRevision: number): Seen {
  return { value, modRevision };
}

/** Writes both keys. */
function putPair(span: Span, value: string, revision?: number): Call {
  const writes = [write('a', `${value}a`), write('b', `${value}b`)];
  return call(span, { writes }, revision === undefined ? {} : { revision });
}

/** Writes a key again and again. */
function txn(span: Span, writes: readonly Write[], answer: Answer): Call {
  return call(span, { reads: Object.keys(answer.seen ?? {}), writes }, answer);
}

/** Reads both keys. */
function getPair(span: Span, a: Seen, b: Seen, revision: number): Call {
  return call(span, { method: 'scan', reads: ['a', 'b'] }, { revision, seen: { a, b } });
}

const goodHistories: Record<string, Call[]> = {
  'one call after the other': [
    put([1, 2], 'a', 'v1', 1),
    get([3, 4], 'a', is('v1', 1), 1),
    deletion([5, 6], 'a', is('v1', 1), 2),
    get([7, 8], 'a', ABSENT, 2),
    deletion([9, 10], 'a', ABSENT, 2),
  ],
  'reads during a write that see it or not': [
    put([1, 8], 'a', 'v1', 1),
    get([2, 3], 'a', ABSENT, 0),
    get([4, 7], 'a', is('v1', 1), 1),
    get([5, 6], 'a', ABSENT, 0),
  ],
  'a transaction that writes a key twice, of which the last write counts': [
    txn([1, 2], [write('a', 'v1'), remove('a'), write('a', 'v2')], { revision: 1, seen: { a: ABSENT } }),
    get([3, 4], 'a', is('v2', 1), 1),
  ],
  'a transaction whose writes cancel each other out, and take no revision': [
    txn([1, 2], [write('a', 'v1'), remove('a')], { revision: 0, seen: { a: ABSENT } }),
    get([3, 4], 'a', ABSENT, 0),
    put([5, 6], 'a', 'v2', 1),
    txn([7, 8], [write('a', 'v3'), remove('a')], { revision: 2, seen: { a: is('v2', 1) } }),
    get([9, 10], 'a', ABSENT, 2),
  ],
  'increments of a key in one transaction': [
    txn([1, 2], [add('n'), add('n')], { revision: 1, sums: { n: '2' } }),
    txn([3, 4], [add('n'), remove('n'), add('n')], {
      revision: 2,
      seen: { n: is('2', 1) },
      sums: { n: '1' },
    }),
    increment([5, 6], 'n', '2', 3),
  ],
  'two writes at once that take effect in the other order': [
    put([1, 4], 'a', 'v1', 2),
    put([2, 3], 'a', 'v2', 1),
    get([5, 6], 'a', is('v1', 2), 2),
  ],
  'a write that is never answered and shows later': [
    put([1], 'a', 'v1'),
    get([2, 3], 'a', ABSENT, 0),
    get([4, 5], 'a', is('v1', 1), 1),
  ],
  'a write that is never answered and never shows': [
    put([1], 'a', 'v1'),
    put([2, 3], 'a', 'v2', 1),
    get([4, 5], 'a', is('v2', 1), 1),
  ],
  'a write that is never answered and was overwritten before anybody saw it': [
    put([1], 'a', 'v1'),
    put([2, 3], 'a', 'v2', 2),
    get([4, 5], 'a', is('v2', 2), 2),
  ],
  'a delete that is never answered and known by the gap that it fills': [
    put([1, 2], 'a', 'v1', 1),
    unansweredDeletion(3, 'a'),
    putIf([4, 5], 'a', ABSENT, 'v2', { revision: 3 }),
  ],
  'a delete that is never answered and shows in a refusal, behind the last revision of which anybody was told':
    [put([1, 2], 'a', 'v1', 1), unansweredDeletion(3, 'a'), refusedPut([4, 5], 'a', PRESENT, ABSENT)],
  'the same delete under a condition that another call without an answer has met': [
    put([1, 2], 'a', 'v1', 1),
    unansweredDeletion(3, 'a', [{ key: 'b', expected: PRESENT }]),
    put([4], 'b', 'v2'),
    refusedPut([5, 6], 'a', PRESENT, ABSENT),
  ],
  'increments of which one is never answered': [
    increment([1, 2], 'n', '1', 1),
    increment([3], 'n'),
    increment([4, 5], 'n', '3', 3),
  ],
  'two conditional writes at once of which one is refused': [
    putIf([1, 4], 'a', ABSENT, 'v1', { revision: 1 }),
    putIf([2, 3], 'a', ABSENT, 'v2', { isMet: false, seen: { a: { value: undefined, modRevision: 1 } } }),
  ],
  'a transaction whose writes show together': [
    putPair([1, 2], 'v1', 1),
    putPair([3, 8], 'v2', 2),
    getPair([4, 5], is('v1a', 1), is('v1b', 1), 1),
    getPair([6, 7], is('v2a', 2), is('v2b', 2), 2),
  ],
  'reads of the past': [
    put([1, 2], 'a', 'v1', 1),
    put([3, 4], 'a', 'v2', 2),
    getPast([5, 6], 'a', is('v1', 1), 1),
    getPast([7, 8], 'a', is('v2', 2), 2),
  ],
  'a read of a revision that is not there yet': [
    call([1, 4], { method: 'get', pastRevision: 1, reads: ['a'] }, { isMet: false }),
    put([2, 3], 'a', 'v1', 1),
  ],
};

const badHistories: Record<string, Call[]> = {
  'a write that shows though another one of its transaction followed it': [
    txn([1, 2], [write('a', 'v1'), write('a', 'v2')], { revision: 1 }),
    get([3, 4], 'a', is('v1', 1), 1),
  ],
  'a write that shows though its transaction has deleted the key again': [
    txn([1, 2], [write('a', 'v1'), remove('a')], { revision: 0, seen: { a: ABSENT } }),
    get([3, 4], 'a', is('v1', 1), 1),
  ],
  'a revision for writes that cancel each other out': [
    txn([1, 2], [write('a', 'v1'), remove('a')], { revision: 1, seen: { a: ABSENT } }),
    get([3, 4], 'a', ABSENT, 1),
  ],
  'an increment in a transaction that does not see the one before it': [
    txn([1, 2], [add('n'), add('n')], { revision: 1, sums: { n: '1' } }),
  ],
  'an increment that came to another sum, though its transaction has deleted the key again': [
    txn([1, 2], [add('n'), add('n'), remove('n')], { revision: 0, seen: { n: ABSENT }, sums: { n: '3' } }),
  ],
  'a refusal that shows a delete which nobody has asked for': [
    put([1, 2], 'a', 'v1', 1),
    unansweredDeletion(3, 'b'),
    refusedPut([4, 5], 'a', PRESENT, ABSENT),
  ],
  'a refusal that shows a delete whose condition nobody has met': [
    put([1, 2], 'a', 'v1', 1),
    unansweredDeletion(3, 'a', [{ key: 'b', expected: PRESENT }]),
    refusedPut([4, 5], 'a', PRESENT, ABSENT),
    put([6], 'b', 'v2'),
  ],
  'a delete that is never answered, shows in a refusal, and is undone': [
    put([1, 2], 'a', 'v1', 1),
    unansweredDeletion(3, 'a'),
    refusedPut([4, 5], 'a', PRESENT, ABSENT),
    get([6, 7], 'a', is('v1', 1), 1),
  ],
  'a stale read': [put([1, 2], 'a', 'v1', 1), put([3, 4], 'a', 'v2', 2), get([5, 6], 'a', is('v1', 1), 1)],
  'a stale read that claims to be of now': [
    put([1, 2], 'a', 'v1', 1),
    put([3, 4], 'a', 'v2', 2),
    get([5, 6], 'a', is('v1', 1), 2),
  ],
  'a read of what is written only later': [get([1, 2], 'a', is('v1', 1), 1), put([3, 4], 'a', 'v1', 1)],
  'a read of what nobody has written': [put([1, 2], 'a', 'v1', 1), get([3, 4], 'a', is('v2', 1), 1)],
  'a read of what was refused': [
    put([1, 2], 'a', 'v1', 1),
    putIf([3, 4], 'a', ABSENT, 'v2', { isMet: false, seen: { a: { value: undefined, modRevision: 1 } } }),
    get([5, 6], 'a', is('v2', 2), 2),
  ],
  'an acknowledged write that is lost': [put([1, 2], 'a', 'v1', 1), get([3, 4], 'a', ABSENT, 0)],
  'a write that is never answered, shows, and is undone': [
    put([1], 'a', 'v1'),
    get([2, 3], 'a', is('v1', 1), 1),
    get([4, 5], 'a', ABSENT, 0),
  ],
  'a write that is never answered, shows, and whose revision is given away again': [
    put([1], 'a', 'v1'),
    get([2, 3], 'a', is('v1', 1), 1),
    put([4, 5], 'b', 'v2', 1),
  ],
  'a new value that is seen before an old one': [
    put([1, 8], 'a', 'v1', 1),
    get([2, 3], 'a', is('v1', 1), 1),
    get([4, 5], 'a', ABSENT, 0),
  ],
  'a lost update': [increment([1, 4], 'n', '1', 1), increment([2, 3], 'n', '1', 2)],
  'an increment that is applied twice': [increment([1, 2], 'n', '1', 1), increment([3, 4], 'n', '3', 2)],
  'an increment that is applied again later': [
    increment([1, 2], 'n', '1', 1),
    increment([3, 4], 'n', '2', 2),
    get([5, 6], 'n', is('3', 3), 3),
  ],
  'an increment of which nobody knows, applied twice': [
    increment([1], 'n'),
    get([2, 3], 'n', is('1', 1), 1),
    get([4, 5], 'n', is('2', 2), 2),
  ],
  'two conditional writes that are both done': [
    putIf([1, 4], 'a', ABSENT, 'v1', { revision: 1 }),
    putIf([2, 3], 'a', ABSENT, 'v2', { revision: 2 }),
  ],
  'a conditional write that is refused though its condition holds': [
    put([1, 2], 'a', 'v1', 1),
    putIf([3, 4], 'a', PRESENT, 'v2', { isMet: false, seen: { a: ABSENT } }),
  ],
  'conditional writes that are answered in an order in which they can not have been': [
    put([1, 2], 'a', 'v1', 1),
    putIf([3, 4], 'a', is('v2', 3), 'v3', { revision: 2 }),
    putIf([5, 6], 'a', is('v1', 1), 'v2', { revision: 3 }),
  ],
  'a delete of what is not there': [deletion([1, 2], 'a', is('v1', 1), 2), put([3, 4], 'a', 'v1', 1)],
  'a transaction that is seen in part': [
    putPair([1, 2], 'v1', 1),
    putPair([3, 6], 'v2', 2),
    getPair([4, 5], is('v2a', 2), is('v1b', 1), 2),
  ],
  'a transaction that is never answered and seen in part': [
    putPair([1], 'v1'),
    getPair([2, 3], is('v1a', 1), ABSENT, 1),
  ],
  'a transaction that is seen by two readers in opposite orders': [
    put([1, 8], 'a', 'v1', 1),
    put([2, 9], 'b', 'v2', 2),
    getPair([3, 4], is('v1', 1), ABSENT, 1),
    getPair([5, 6], ABSENT, is('v2', 2), 1),
  ],
  'a read of two keys that were never so at the same time': [
    putPair([1, 2], 'v1', 1),
    put([3, 4], 'a', 'v2', 2),
    put([5, 6], 'b', 'v3', 3),
    getPair([7, 8], is('v1a', 1), is('v3', 3), 3),
  ],
  'a write across two keys under a condition that did not hold': [
    put([1, 2], 'a', 'v1', 1),
    call(
      [3, 4],
      { conditions: [{ key: 'a', expected: ABSENT }], writes: [write('b', 'v2')] },
      { revision: 2 },
    ),
  ],
  'a read of the past that shows the present': [
    put([1, 2], 'a', 'v1', 1),
    put([3, 4], 'a', 'v2', 2),
    getPast([5, 6], 'a', is('v2', 2), 1),
  ],
  'a read of the past that does not find it': [
    put([1, 2], 'a', 'v1', 1),
    call([3, 4], { method: 'get', pastRevision: 1, reads: ['a'] }, { isMet: false }),
  ],
  'two reads of the past that differ': [
    put([1, 2], 'a', 'v1', 1),
    put([3], 'a', 'v2'),
    put([4, 5], 'b', 'v3', 3),
    getPast([6, 7], 'a', is('v1', 1), 2),
    getPast([8, 9], 'a', is('v2', 2), 2),
  ],
  'a read of what will be': [put([3, 4], 'a', 'v1', 1), getPast([1, 2], 'a', is('v1', 1), 1)],
  'two writes of one revision': [put([1, 4], 'a', 'v1', 1), put([2, 3], 'b', 'v2', 1)],
  'a revision that is left out': [put([1, 2], 'a', 'v1', 1), put([3, 4], 'a', 'v2', 3)],
  'revisions against the order of the calls': [put([1, 2], 'a', 'v1', 2), put([3, 4], 'b', 'v2', 1)],
  'a value that has another revision than its write': [
    put([1, 2], 'a', 'v1', 1),
    put([3, 4], 'b', 'v2', 2),
    get([5, 6], 'a', is('v1', 2), 2),
  ],
};

describe('a history that is right is accepted:', () => {
  test.each(Object.entries(goodHistories))('%s', (_, calls) => {
    expect(findFault(calls)).toBeUndefined();
    for (const key of ['a', 'b', 'n']) expect(findFaultOfKey(calls, key)).toBeUndefined();
  });
});

describe('a history that is wrong is rejected:', () => {
  test.each(Object.entries(badHistories))('%s', (_, calls) => {
    const inOrder = calls.toSorted((a, b) => a.calledAt - b.calledAt);
    expect(findFault(inOrder)).toBeDefined();
  });

  test.each([
    'a stale read that claims to be of now',
    'an acknowledged write that is lost',
    'a write that is never answered, shows, and is undone',
    'a new value that is seen before an old one',
    'two conditional writes that are both done',
    'an increment that is applied again later',
  ])('%s, also by those who do not believe in revisions', (name) => {
    const calls = badHistories[name] ?? [];
    const keys = ['a', 'b', 'n'].filter((key) => findFaultOfKey(calls, key) !== undefined);
    expect(keys).toHaveLength(1);
  });
});

describe('where fifty calls were never answered,', () => {
  const open = Array.from({ length: 50 }, (_, index) =>
    put([3 + index], 'bc'.charAt(index % 2), `w${index}`),
  );
  const before = put([1, 2], 'a', 'v1', 1);

  test('the one that explains the last answer is found', () => {
    const calls = [before, ...open, unansweredDeletion(60, 'a'), refusedPut([61, 62], 'a', PRESENT, ABSENT)];
    expect(findFault(calls)).toBeUndefined();
  });

  test('a last answer that none of them explains is found, too', () => {
    const impossible = unansweredDeletion(60, 'a', [{ key: 'd', expected: PRESENT }]);
    const calls = [before, ...open, impossible, refusedPut([61, 62], 'a', PRESENT, ABSENT)];
    expect(findFault(calls)).toContain('no order explains these answers up to 62');
  });

  test('a version that was replaced is found to be one that none of them brings back', () => {
    const replaced: Seen = { value: undefined, modRevision: 1 };
    const overwrite = put([60, 61], 'a', 'v2', 2);
    const calls = [before, ...open, overwrite, refusedPut([62, 63], 'a', ABSENT, replaced)];
    expect(findFault(calls)).toContain('no order explains these answers up to 63');
  });
});

describe('what is told of a fault', () => {
  test('is the part that can not be, whatever was before and comes after', () => {
    const calls = [
      put([1, 2], 'a', 'v1', 1),
      get([3, 4], 'a', is('v1', 1), 1),
      put([5, 6], 'b', 'v2', 2),
      put([7, 10], 'a', 'v3', 3),
      get([8, 9], 'b', is('v2', 2), 2),
      get([11, 12], 'a', is('v1', 1), 2),
      put([13, 14], 'a', 'v4', 4),
      get([15, 16], 'a', is('v4', 4), 4),
    ];
    expect(findFault(calls)?.split('\n')).toEqual([
      'of the key a alone, no order explains these answers up to 12:',
      'client 0  [7, 10]         put a:=v3  ->  done',
      'client 0  [11, 12]        get a  ->  a = v1',
      'Before the last of them the store could only have been:',
      'revision unknown, a = v3, all else unknown',
    ]);
  });

  test('is the two calls that contradict each other, however far apart', () => {
    const calls = [
      put([1, 2], 'a', 'v1', 1),
      get([3, 4], 'a', is('v1', 1), 1),
      ...Array.from({ length: 50 }, (_, index) =>
        put([5 + 2 * index, 6 + 2 * index], 'b', `w${index}`, 2 + index),
      ),
      getPast([200, 201], 'a', ABSENT, 1),
    ];
    expect(findFault(calls)?.split('\n')).toEqual([
      'as of revision 1 a is seen as = v1 of 1 and as absent:',
      'client 0  [3, 4]          get a  ->  revision 1, a = v1 of 1',
      'client 0  [200, 201]      get a at 1  ->  revision 1, a absent',
    ]);
  });

  test('leaves out all between a write and the read of the past that does not know of it', () => {
    const calls = [
      put([1, 2], 'a', 'v1', 1),
      put([3, 4], 'b', 'v2', 2),
      ...Array.from({ length: 50 }, (_, index) =>
        put([5 + 2 * index, 6 + 2 * index], 'b', `w${index}`, 3 + index),
      ),
      getPast([200, 201], 'a', ABSENT, 1),
    ];
    expect(findFault(calls)?.split('\n').slice(1, -2)).toEqual([
      'client 0  [1, 2]          put a:=v1  ->  revision 1',
      'client 0  [200, 201]      get a at 1  ->  revision 1, a absent',
    ]);
  });
});
