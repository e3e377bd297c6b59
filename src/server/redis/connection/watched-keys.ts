/**
 * WATCH: which keys were touched since a connection said that it looks at them. What is committed is told to this (`onCommitted`)
 * while any key is watched, and only then, since listeners cost every write.
 *
 * A command of this protocol touches the keys that it has noted an event of, and be it that its decision leaves them as they were
 * (`SET` and `DEL` of one that was absent, in one transaction): the connections tell of these. What other doors do is one change
 * each, so that a transaction which leaves a key as it was has not touched it.
 *
 * A key that was past its deadline when it was watched counted as absent: that the store removes it later is no change. One that was
 * there, and is past its deadline at EXEC, is one; EXEC asks for that itself.
 */
import type { Seam, Stop } from '../../../store/seam.ts';
import { type KeyText, fromKeyText, toKeyText } from '../../../store/views/keys.ts';
import type { PlannedChange } from '../../../store/views/planned-change.ts';
import type { View } from '../../../store/views/view.ts';
import { serverFixed } from '../../../limits.ts';
import type { KeyspaceEvent } from '../commands/running-call.ts';
import { ReplyError } from '../replies/errors.ts';

/** What one connection watches. */
export class WatchList {
  /** Whether each was there. */
  readonly wasThere = new Map<KeyText, boolean>();
  bytes = 0;
  isChanged = false;

  /** Whether a key that was there is past its deadline now. */
  isOverdue(view: View): boolean {
    for (const [key, wasThere] of this.wasThere) {
      if (wasThere && view.readMeta(fromKeyText(key)) === undefined) return true;
    }
    return false;
  }
}

export class WatchedKeys {
  readonly #seam: Seam;
  readonly #listsByKey = new Map<KeyText, Set<WatchList>>();
  readonly #charge: (bytes: number) => boolean;
  #stop: Stop | undefined;

  /** @param charge counts memory of all clients, and says whether there is room. */
  constructor(seam: Seam, charge: (bytes: number) => boolean) {
    this.#seam = seam;
    this.#charge = charge;
  }

  /** Nothing is to be told of. */
  get isEmpty(): boolean {
    return this.#listsByKey.size === 0;
  }

  /** @param keys with whether each is there. Throws when it would be too many. */
  add(list: WatchList, keys: readonly (readonly [key: Uint8Array, isThere: boolean])[]): void {
    for (const [key, isThere] of keys) {
      const text = toKeyText(key);
      if (list.wasThere.has(text)) continue;
      if (
        list.wasThere.size >= serverFixed.redisWatchedKeysMax ||
        list.bytes + key.length > serverFixed.redisWatchedBytesMax
      ) {
        throw new ReplyError(`ERR at most ${serverFixed.redisWatchedKeysMax} keys are watched at a time`);
      }
      if (!this.#charge(BYTES_OF_KEY + key.length))
        throw new ReplyError('ERR the keys that clients watch take too much memory');
      list.wasThere.set(text, isThere);
      list.bytes += key.length;
      const lists = this.#listsByKey.get(text);
      if (lists === undefined) this.#listsByKey.set(text, new Set([list]));
      else lists.add(list);
    }
    this.#stop ??= this.#seam.onCommitted((changes) => this.#mark(changes));
  }

  /** The list watches nothing any more. */
  clear(list: WatchList): void {
    for (const key of list.wasThere.keys()) {
      const lists = this.#listsByKey.get(key);
      lists?.delete(list);
      if (lists?.size === 0) this.#listsByKey.delete(key);
    }
    this.#charge(-(list.wasThere.size * BYTES_OF_KEY + list.bytes));
    list.wasThere.clear();
    list.bytes = 0;
    list.isChanged = false;
    if (this.#listsByKey.size === 0) {
      this.#stop?.();
      this.#stop = undefined;
    }
  }

  /** Commands of a decision have done something to a key each, whatever has become of it. */
  touched(events: readonly KeyspaceEvent[]): void {
    for (const { key } of events)
      for (const list of this.#listsByKey.get(toKeyText(key)) ?? []) list.isChanged = true;
  }

  #mark(changes: readonly PlannedChange[]): void {
    for (const { key, reason } of changes) {
      const text = toKeyText(key);
      for (const list of this.#listsByKey.get(text) ?? []) {
        if (reason === 'expired' && list.wasThere.get(text) === false) continue;
        list.isChanged = true;
      }
    }
  }
}

/** What a key takes in the list of a connection and in that of all, beside its bytes, roughly. */
const BYTES_OF_KEY = 500;
