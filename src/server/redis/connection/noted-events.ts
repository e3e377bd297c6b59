/**
 * What commands note of the keys that they do something to, on its way to those who ask for it: clients that watch a key, and those that
 * listen to keyspace events. Nothing is noted while there are none of either.
 */
import type { RunningCall } from '../commands/running-call.ts';
import type { ConnectionContext } from './connection-context.ts';

type NotedContext = Pick<ConnectionContext, 'hooks' | 'watched'>;

/** Whether anything asks for what commands note. */
export function wantsNoted({ hooks, watched }: NotedContext): boolean {
  return hooks.events !== undefined || !watched.isEmpty;
}

/**
 * Tells what the calls of a decision have noted, in the turn of that decision.
 * @param hasChanged whether the decision has: what leaves all as it was has touched its keys all the same.
 */
export function tellNoted(
  { hooks, watched }: NotedContext,
  call: RunningCall,
  sequence: number,
  hasChanged: boolean,
): void {
  if (call.events.length === 0) {
    // What has changed something and tells of no event has none, as FLUSHALL.
    if (hasChanged) hooks.events?.([], sequence, true);
    return;
  }
  const events = call.events.splice(0);
  if (!watched.isEmpty) watched.touched(events);
  hooks.events?.(events, sequence, hasChanged);
}
