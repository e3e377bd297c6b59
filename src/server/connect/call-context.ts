/** What Connect's handlers hand on to our services: the call that a request belongs to. */
import { type HandlerContext, createContextKey } from '@connectrpc/connect';
import { assert } from '../../errors.ts';
import type { Call } from '../calls/call.ts';
import type { JsonMessages } from './json-messages.ts';

export interface CallContext {
  readonly call: Call;
  /** What to answer the call with instead of serving it. */
  readonly refusal: Error | undefined;
  /** Of a call in JSON whose messages go around Connect. */
  readonly json: JsonMessages | undefined;
}

export const callContextKey = createContextKey<CallContext | undefined>(undefined, {
  description: 'the call',
});

export function contextOf(context: HandlerContext): CallContext {
  const called = context.values.get(callContextKey);
  assert(called !== undefined, 'a service is reached by a call');
  return called;
}

export function callOf(context: HandlerContext): Call {
  return contextOf(context).call;
}
