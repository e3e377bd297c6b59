/** What the messages of a watch take, which is charged to their stream. */
import type { WatchEvent, WatchMessage } from '../../../api.ts';
import { bytesOfElements } from '../../../store/watch/messages/element-rows.ts';
import { entriesBytes, entryBytes, keyFieldsBytes } from '../reply-entries.ts';

/** What a message takes, at most. */
export function messageBytes(message: WatchMessage): number {
  if (message.kind === 'current') return entriesBytes(message.entries);
  if (message.kind !== 'events') return 0;
  return message.events.reduce((bytes, event) => bytes + eventBytes(event), 0);
}

function eventBytes(event: WatchEvent): number {
  const previousBytes = entryBytes(event.previous) + EVENT_BYTES;
  if (event.type === 'delete') return keyFieldsBytes(event) + previousBytes;
  const { elements } = event;
  return entryBytes(event.entry) + previousBytes + (elements === undefined ? 0 : bytesOfElements(elements));
}

/** What an event takes besides its entries. */
const EVENT_BYTES = 16;
