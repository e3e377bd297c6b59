import { expect, test } from 'vitest';
import { kvMethods } from '../../../src/client/calls/method.ts';
import type { Method, Piped } from '../../../src/client/calls/method.ts';
import { NO_DEMAND } from '../../../src/client/messages/read-demand.ts';
import { canceled } from '../../../src/client/errors/call-failure.ts';
import { PipelinedCall } from '../../../src/client/pipelining/pipelined-call.ts';
import { WaitingCalls } from '../../../src/client/pipelining/waiting-calls.ts';
import { client as limits } from '../../../src/limits.ts';

function get(key: string): PipelinedCall {
  const method = kvMethods.get as Method<unknown, unknown>;
  const request = { key, keyBytes: new Uint8Array(0), revision: 0, refreshTtl: false, ...NO_DEMAND };
  const ignore = (): void => undefined;
  return new PipelinedCall(method, method.piped as Piped<unknown>, request, 1000, undefined, ignore, ignore);
}

test('calls that have ended give their room back, and are passed over', () => {
  const waiting = new WaitingCalls();
  const calls = Array.from({ length: limits.pipelineWaitingCallsMax }, (_, index) => get(`k${index}`));
  for (const call of calls) waiting.add(call);
  const [first, ...others] = calls as [PipelinedCall, ...PipelinedCall[]];
  expect(waiting.hasRoomFor(first)).toBe(false);
  const isKept = (call: PipelinedCall): boolean => calls.indexOf(call) % 1000 === 7;
  for (const call of [first, ...others]) {
    if (isKept(call)) continue;
    call.fail(canceled(true));
    waiting.ended();
  }
  expect(waiting.hasRoomFor(first)).toBe(true);
  expect(waiting.isWanted).toBe(true);
  expect(waiting.takeBatch(10).calls).toEqual(calls.filter(isKept).slice(0, 10));
  for (const call of calls.filter(isKept).slice(10)) {
    call.fail(canceled(true));
    waiting.ended();
  }
  expect(waiting.isWanted).toBe(false);
  expect(waiting.takeBatch(10)).toEqual({ calls: [], byteCount: 0 });
  expect(waiting.isEmpty).toBe(true);
});

test('the bytes of calls that were taken or have ended count no more', () => {
  const waiting = new WaitingCalls();
  const long = 'k'.repeat(1000);
  const calls: PipelinedCall[] = [];
  for (let call = get(long); waiting.hasRoomFor(call); call = get(long)) {
    waiting.add(call);
    calls.push(call);
  }
  expect(calls.length).toBeLessThan(limits.pipelineWaitingCallsMax);
  expect(waiting.takeBatch(2).calls).toHaveLength(2);
  expect(waiting.hasRoomFor(get(long))).toBe(true);
  for (const call of calls.slice(2)) {
    call.fail(canceled(true));
    waiting.ended();
  }
  for (let index = 0; index < calls.length; index++) {
    expect(waiting.hasRoomFor(get(long))).toBe(true);
    waiting.add(get(long));
  }
});
