import { expect, test } from 'vitest';
import type { HttpRequest, HttpResponse } from '../../../src/server/http/http-message.ts';
import { answerProbe } from '../../../src/server/health/probes.ts';
import { ServerState } from '../../../src/server/health/server-state.ts';

/** What `GET /readyz` answers. */
function readiness(state: ServerState): unknown {
  let status = 0;
  let text = '';
  const response = {
    writeHead: (each: number) => {
      status = each;
    },
    end: (each: string) => {
      text = each;
    },
  };
  const request = { method: 'GET', url: '/readyz' };
  expect(answerProbe(request as HttpRequest, response as unknown as HttpResponse, state)).toBe(true);
  return [status, JSON.parse(text)];
}

test('a recovery shows how far it is until it is over', () => {
  const state = new ServerState();

  expect(readiness(state)).toEqual([503, { status: 'recovering' }]);
  state.reportRecovery({ phase: 'log', doneBytes: 10, totalBytes: 40 });
  expect(readiness(state)).toEqual([
    503,
    { status: 'recovering', recovery: { phase: 'log', doneBytes: 10, totalBytes: 40 } },
  ]);
  state.enter('serving');
  state.reportRecovery({ phase: 'log', doneBytes: 40, totalBytes: 40 });
  expect(readiness(state)).toEqual([200, { status: 'serving' }]);
});

test('phases follow each other and never go back', () => {
  const state = new ServerState();
  const seen: string[] = [];
  const stopListening = state.onChange(() => seen.push(state.phase));

  for (const phase of ['serving', 'readOnly', 'serving', 'recovering', 'stopping', 'readOnly'] as const) {
    state.enter(phase);
  }

  expect(seen).toEqual(['serving', 'readOnly', 'stopping']);
  expect(state.isServing).toBe(false);
  stopListening();
});
