/** `createClient` for programs: its calls have spans when the program has registered a tracer. The command has no use for that. */
import { systemPace } from './calls/pace.ts';
import { type KelpClient, createClient as createUntraced } from './client.ts';
import type { ClientOptions } from './client-options.ts';
import { CallSpans } from './tracing/call-spans.ts';

/** Throws a `KelpError` `invalidArgument` when the options make no sense. Connects when the first call is made. */
export function createClient(options: ClientOptions): KelpClient {
  return createUntraced(options, systemPace, (address) => new CallSpans(address));
}
