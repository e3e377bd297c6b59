/**
 * Keyspace events: what happens to keys, published to those that listen to `__keyspace@0__:key` or `__keyevent@0__:event`.
 *
 * A decision that is committed has the events that its changes show (`derived-events.ts`), until the command that has made it tells
 * those that it has noted itself, which come in their place. So each change is told of once, through whatever door it came, in the
 * order of decisions, and only when it is durable and shown (`pubsub/delivery.ts`). The command tells in the turn of its decision; at the end
 * of that, or before anything else is published, what there is goes out. A decision that leaves all as it was (a key that is written and
 * removed again) has the events that its command tells, behind all that was decided before it.
 *
 * It listens to the store only while events are asked for and a client listens to anything: else puts take their fast path.
 */
import { collectionIdOf, isElementKey } from '../../../store/collections/collection-keys.ts';
import type { Seam, Stop } from '../../../store/seam.ts';
import type { PlannedChange } from '../../../store/views/planned-change.ts';
import type { EventClass } from '../commands/command.ts';
import type { KeyspaceEvent } from '../commands/running-call.ts';
import type { Channels } from '../pubsub/channels.ts';
import type { Delivery } from '../pubsub/delivery.ts';
import { type DerivedFrom, eachDerivedEvent } from './derived-events.ts';
import { BY_EVENT, BY_KEY, type EventClasses, NO_CLASSES, classBit } from './event-classes.ts';
import { keyNameOf } from './key-names.ts';

export interface KeyspaceEventsOptions {
  readonly seam: Pick<Seam, 'committedSequence' | 'onCommitted'>;
  readonly channels: Channels;
  readonly delivery: Pick<Delivery, 'publishEvent' | 'sendDurable'>;
}

export class KeyspaceEvents {
  readonly #seam: KeyspaceEventsOptions['seam'];
  readonly #channels: Channels;
  readonly #delivery: KeyspaceEventsOptions['delivery'];
  #classes: EventClasses = NO_CLASSES;
  #stop: Stop | undefined;
  #tellWanted: (isWanted: boolean) => void = () => undefined;
  /** Of the turn that runs, in their order. */
  #decisions: DecisionEvents[] = [];

  constructor({ seam, channels, delivery }: KeyspaceEventsOptions) {
    this.#seam = seam;
    this.#channels = channels;
    this.#delivery = delivery;
    channels.onUse(() => this.#listenIfWanted());
  }

  get classes(): EventClasses {
    return this.#classes;
  }

  set classes(classes: EventClasses) {
    this.#classes = classes;
    this.#listenIfWanted();
  }

  /** @param tell is called when events of commands begin to be wanted, and when they end. */
  onWanted(tell: (isWanted: boolean) => void): void {
    this.#tellWanted = tell;
  }

  stop(): void {
    this.#listen(false);
  }

  /**
   * What commands have noted of a decision, in their order, told in the turn of that decision. It stays as it is.
   * @param sequence of the decision, where it has changed anything; else the newest before it.
   */
  noted(events: readonly KeyspaceEvent[], sequence: number, hasChanged: boolean): void {
    if (this.#stop === undefined) return;
    if (!hasChanged) {
      this.#add({ sequence, noted: events, changes: [] });
      return;
    }
    const decision = this.#decisions.findLast((one) => one.sequence === sequence);
    if (decision === undefined) this.#add({ sequence, noted: events, changes: undefined });
    else decision.noted = events;
  }

  /** Publishes what there is: something else is about to be published. */
  readonly settle = (): void => {
    if (this.#decisions.length === 0) return;
    const decisions = this.#decisions;
    this.#decisions = [];
    for (const decision of decisions) this.#publishDecision(decision);
    this.#delivery.sendDurable();
  };

  #add(decision: DecisionEvents): void {
    if (this.#decisions.length === 0) queueMicrotask(this.settle);
    this.#decisions.push(decision);
  }

  #wants(eventClass: EventClass): boolean {
    return (this.#classes & classBit(eventClass)) !== 0;
  }

  #listenIfWanted(): void {
    const isWanted = (this.#classes & (BY_KEY | BY_EVENT)) !== 0 && !this.#channels.isEmpty;
    this.#listen(isWanted);
  }

  #listen(isWanted: boolean): void {
    if (isWanted === (this.#stop !== undefined)) return;
    if (isWanted) this.#stop = this.#seam.onCommitted((changes) => this.#committed(changes));
    else {
      this.#stop?.();
      this.#stop = undefined;
      this.#decisions = [];
    }
    this.#tellWanted(isWanted);
  }

  #committed(changes: readonly PlannedChange[]): void {
    if (changes.length === 0) return;
    const expiredIn = collectionsWithExpired(changes);
    const kept = changes
      .filter(({ key }) => keyNameOf(key) !== undefined)
      .map((change) => keepChange(change, expiredIn));
    const sequence = this.#seam.committedSequence;
    // A client that waited is told of as served by another listener, which may come before this one.
    const last = this.#decisions.at(-1);
    if (last?.sequence === sequence && last.changes === undefined) last.changes = kept;
    else this.#add({ sequence, noted: undefined, changes: kept });
  }

  #publishDecision({ sequence, noted, changes = [] }: DecisionEvents): void {
    if (noted === undefined) {
      for (const change of changes) this.#publishDerived(change, sequence);
      return;
    }
    const creations = new Map<string, KeptChange>();
    for (const change of changes) {
      if (change.replacedExpired || (this.#wants('n') && isCreation(change)))
        creations.set(latin1Of(change.key), change);
    }
    for (const { eventClass, event, key } of noted) {
      if (creations.size > 0) {
        const name = latin1Of(key);
        const creation = creations.get(name);
        creations.delete(name);
        if (creation?.replacedExpired === true) this.#publish('x', 'expired', key, sequence);
        // A command that replaces a whole key, as RENAME does, says by itself that it is new.
        if (creation !== undefined && eventClass !== 'n') this.#publishNew(creation, sequence);
      }
      this.#publish(eventClass, event, key, sequence);
    }
    for (const creation of creations.values()) this.#publishCreation(creation, sequence);
  }

  #publishDerived(change: KeptChange, sequence: number): void {
    this.#publishCreation(change, sequence);
    eachDerivedEvent(change, (eventClass, event) => this.#publish(eventClass, event, change.key, sequence));
  }

  /** What comes before the event of a write itself. */
  #publishCreation(change: KeptChange, sequence: number): void {
    if (change.replacedExpired) this.#publish('x', 'expired', change.key, sequence);
    this.#publishNew(change, sequence);
  }

  #publishNew(change: KeptChange, sequence: number): void {
    if (isCreation(change)) this.#publish('n', 'new', change.key, sequence);
  }

  #publish(eventClass: EventClass, event: string, engineKey: Uint8Array, sequence: number): void {
    if (!this.#wants(eventClass)) return;
    const name = keyNameOf(engineKey);
    if (name === undefined) return;
    const { database, key } = name;
    const eventBytes = Buffer.from(event);
    if ((this.#classes & BY_KEY) !== 0) {
      const channel = Buffer.concat([Buffer.from(`__keyspace@${database}__:`), key]);
      this.#delivery.publishEvent(sequence, channel, eventBytes);
    }
    if ((this.#classes & BY_EVENT) !== 0) {
      this.#delivery.publishEvent(sequence, Buffer.from(`__keyevent@${database}__:${event}`), key);
    }
  }
}

/** What is kept of a change until it is told. */
export type KeptChange = Pick<PlannedChange, 'key' | 'hadEntry' | 'replacedExpired'> & DerivedFrom;

interface DecisionEvents {
  readonly sequence: number;
  /** `undefined`: by what its changes show. */
  noted: readonly KeyspaceEvent[] | undefined;
  /** `undefined`: they have not been told of. */
  changes: readonly KeptChange[] | undefined;
}

function keepChange(change: PlannedChange, expiredIn: ReadonlySet<number>): KeptChange {
  const { type, reason, kind, revision, modRevision, expireTimeMs, hadEntry, replacedExpired } = change;
  const key = Uint8Array.from(change.key);
  const hasExpiredFields = expiredIn.has(change.previousCollectionId);
  return {
    key,
    type,
    reason,
    kind,
    revision,
    modRevision,
    expireTimeMs,
    hadEntry,
    replacedExpired,
    hasExpiredFields,
  };
}

const NO_IDS: ReadonlySet<number> = new Set();

/** Those of which elements were removed since their time was over. */
function collectionsWithExpired(changes: readonly PlannedChange[]): ReadonlySet<number> {
  let ids: Set<number> | undefined;
  for (const { key, reason } of changes) {
    if (reason === 'expired' && isElementKey(key)) (ids ??= new Set()).add(collectionIdOf(key));
  }
  return ids ?? NO_IDS;
}

function isCreation({ type, hadEntry }: KeptChange): boolean {
  return type === 'put' && !hadEntry;
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
