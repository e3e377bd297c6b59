import { describe, expect, test } from 'vitest';
import { type DecodedReply, SimpleReply } from '../../server/redis/support/decoded-reply.ts';
import { ConnectionHistory } from './connection-history.ts';
import { findDisorder } from './find-order.ts';
import type { Step } from './redis-model.ts';

const OK = new SimpleReply('OK');

function alone(text: string): Step {
  return { isTransaction: false, commands: [text.split(' ')] };
}

function together(...texts: string[]): Step {
  return { isTransaction: true, commands: texts.map((text) => text.split(' ')) };
}

/** Each is answered before the next one is sent; without a reply it never is. `undefined`: the server ends. */
type Line = readonly [connection: number, step: Step, reply?: DecodedReply] | undefined;

function disorderOf(...lines: readonly Line[]): string | undefined {
  const history = new ConnectionHistory();
  for (const line of lines) {
    if (line === undefined) {
      history.end();
      continue;
    }
    const [connection, step, reply] = line;
    const sent = history.send(connection, step);
    if (reply !== undefined) history.answer(sent, reply);
  }
  return findDisorder(history.events, 3);
}

describe('an order is found', () => {
  test('of what comes one behind the other', () => {
    expect(
      disorderOf([0, alone('SET a 1'), OK], [1, alone('APPEND a 2'), 2], [0, alone('GET a'), '12']),
    ).toBeUndefined();
  });

  test('of steps that overlap, in whichever order their replies come', () => {
    const history = new ConnectionHistory();
    const pushed = history.send(0, alone('LPUSH q v1'));
    const popped = history.send(1, alone('RPOP q'));
    history.answer(popped, 'v1');
    history.answer(pushed, 1);
    expect(findDisorder(history.events, 2)).toBeUndefined();
  });

  test('of a step without an answer, done or not, before the end of its server', () => {
    const lost = [0, alone('INCR n')] as const;
    expect(disorderOf(lost, undefined, [1, alone('GET n'), null])).toBeUndefined();
    expect(disorderOf(lost, undefined, [1, alone('GET n'), '1'])).toBeUndefined();
  });

  test('of a transaction that gave way to a change of what it watched', () => {
    expect(
      disorderOf(
        [0, alone('WATCH a'), OK],
        [1, alone('SET a 1'), OK],
        [0, together('INCR n'), null],
        [1, alone('GET n'), null],
      ),
    ).toBeUndefined();
  });
});

const impossible: [string, Line[]][] = [
  [
    'when a read shows what was there before',
    [
      [0, alone('SET a 1'), OK],
      [1, alone('GET a'), null],
    ],
  ],
  [
    'when an acknowledged write is lost with its server',
    [[0, alone('SET a 1'), OK], undefined, [1, alone('GET a'), null]],
  ],
  [
    'when what was read is lost with its server',
    [[0, alone('INCR n')], [1, alone('GET n'), '1'], undefined, [1, alone('GET n'), null]],
  ],
  [
    'when a write is done behind the end of its server',
    [[0, alone('INCR n')], undefined, [1, alone('GET n'), null], [1, alone('GET n'), '1']],
  ],
  [
    'when two take the same element',
    [
      [0, alone('LPUSH q v'), 1],
      [1, alone('RPOP q'), 'v'],
      [2, alone('RPOP q'), 'v'],
    ],
  ],
  [
    'when the later step of a connection is done and the earlier is not',
    [[0, alone('SET a 1')], [0, alone('SET b 1')], undefined, [1, together('GET a', 'GET b'), [null, '1']]],
  ],
  [
    'when half a transaction is done',
    [[0, together('SET a 1', 'SET b 1')], undefined, [1, together('GET a', 'GET b'), ['1', null]]],
  ],
  [
    'when a transaction is done although what it watched has changed',
    [
      [0, alone('WATCH a'), OK],
      [1, alone('SET a 1'), OK],
      [0, together('INCR n'), [1]],
    ],
  ],
  [
    'when a transaction gives way to nothing',
    [
      [0, alone('WATCH a'), OK],
      [1, alone('GET a'), null],
      [0, together('INCR n'), null],
    ],
  ],
];

describe('no order is found', () => {
  test.each(impossible)('%s', (_what, lines) => {
    expect(disorderOf(...lines)).toMatch(/no order explains/);
  });
});
