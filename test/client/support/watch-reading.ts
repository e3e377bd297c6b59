/** A client with a scripted server of watches, and what its watches hand out, in short. */
import type { ClientOptions } from '../../../src/client/client-options.ts';
import type { KelpClient } from '../../../src/client/client.ts';
import type { WatchMessage, WatchRequest } from '../../../src/client/messages/types.ts';
import type { FakePace } from './fake-server.ts';
import { clientOf, failureOf } from './fake-server.ts';
import { FakeWatchServer } from './fake-watch-server.ts';

export function watching(options?: Partial<ClientOptions>): {
  server: FakeWatchServer;
  client: KelpClient;
  pace: FakePace;
} {
  const server = new FakeWatchServer();
  return { server, ...clientOf(server.routes, options) };
}

/** Reads until a message that `isLast` accepts, or the end. */
export async function read(
  client: KelpClient,
  request: WatchRequest,
  isLast: (message: WatchMessage) => boolean,
): Promise<WatchMessage[]> {
  const messages: WatchMessage[] = [];
  for await (const message of client.watch(request)) {
    messages.push(message);
    if (isLast(message)) break;
  }
  return messages;
}

/** @returns the failure with which the watch ends, and the messages before it. */
export async function readUntilFailure(
  client: KelpClient,
  request: WatchRequest,
): Promise<{ messages: WatchMessage[]; failure: unknown }> {
  const messages: WatchMessage[] = [];
  const takeIn = async (): Promise<void> => {
    for await (const message of client.watch(request)) messages.push(message);
  };
  const failure = await failureOf(takeIn());
  return { messages, failure };
}

export const upTo =
  (revision: number) =>
  (message: WatchMessage): boolean =>
    'revision' in message && message.kind !== 'current' && message.revision >= revision;

/** A message in a line: `events 3: a b`. */
export function line(message: WatchMessage): string {
  switch (message.kind) {
    case 'current':
      return `current ${message.revision}: ${message.entries.map(({ key }) => key).join(' ')}`;
    case 'events':
      return `events ${message.revision}: ${message.events.map((event) => ('key' in event ? event.key : event.entry.key)).join(' ')}`;
    case 'restarted':
      return `restarted: ${message.reason}`;
    case 'compacted':
      return `compacted: ${message.requestedRevision} of ${message.oldestRevision} to ${message.newestRevision}`;
    default:
      return `${message.kind} ${message.revision}`;
  }
}
