/**
 * The keyspace events of a change that no command of the Redis protocol has made: by gRPC, REST, a deadline or the end of a lease.
 * It is known what has become of the key, and not how, so a put of a collection has the event of the type's plainest write.
 */
import { type Kind, kinds } from '../../../store/collections/kinds.ts';
import type { PlannedChange } from '../../../store/views/planned-change.ts';
import type { EventClass } from '../commands/command.ts';

type Tell = (eventClass: EventClass, event: string) => void;

export interface DerivedFrom extends Pick<
  PlannedChange,
  'type' | 'reason' | 'kind' | 'revision' | 'modRevision' | 'expireTimeMs'
> {
  /** Fields of the hash were removed since their time was over. */
  readonly hasExpiredFields: boolean;
}

export function eachDerivedEvent(change: DerivedFrom, tell: Tell): void {
  if (change.hasExpiredFields) tell('h', 'hexpired');
  if (change.type === 'delete') {
    const isExpired = change.reason === 'expired' || change.reason === 'leaseExpired';
    if (change.reason === 'evicted') tell('e', 'evicted');
    else tell(isExpired ? 'x' : 'g', isExpired ? 'expired' : 'del');
  } else if (change.hasExpiredFields) {
    // Nothing else has happened to it.
  } else if (change.modRevision < change.revision) {
    // Another time to live, and nothing else.
    tell('g', change.expireTimeMs === 0 ? 'persist' : 'expire');
  } else {
    const [eventClass, event] = writeEvents[change.kind as Kind] ?? writeEvents[kinds.plain];
    tell(eventClass, event);
    if (change.expireTimeMs !== 0) tell('g', 'expire');
  }
}

const writeEvents: Readonly<Record<Kind, readonly [EventClass, string]>> = {
  [kinds.plain]: ['$', 'set'],
  [kinds.hash]: ['h', 'hset'],
  [kinds.list]: ['l', 'lset'],
  [kinds.set]: ['s', 'sadd'],
  [kinds.sortedSet]: ['z', 'zadd'],
  [kinds.stream]: ['t', 'xadd'],
  [kinds.bloomFilter]: ['d', 'bf.add'],
};
