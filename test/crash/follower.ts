/**
 * One watch from the first revision on, over all restarts: rebuilds the keys from their events and notes what can't be
 * true of a complete, ordered watch. Versions count the writes of a key, so that a change that is missing shows.
 */
import type { KelpClient } from '../../src/client/client.ts';
import type { KelpErrorCode } from '../../src/client/errors/error.ts';
import type { DeleteReason } from '../../src/api.ts';
import type { WatchEvent } from '../../src/client/messages/types.ts';
import type { Acknowledged, Shown } from './ledger.ts';

/** What a revision did to a key. */
interface Followed {
  readonly value: string | undefined;
  readonly reason: DeleteReason | undefined;
}

export class Follower {
  /** What broke the connection, each time it broke. */
  readonly interruptions: KelpErrorCode[] = [];
  readonly entries = new Map<string, Shown>();
  readonly #ended: Promise<void>;
  readonly #controller = new AbortController();
  readonly #faults: string[] = [];
  /** Since they were last held against the acknowledged ones. */
  readonly #changesByRevision = new Map<number, Map<string, Followed>>();
  #revision = 0;
  #lastCommitTimeMs = 0;
  #wake: (() => void)[] = [];
  #isEnded = false;

  constructor(client: KelpClient) {
    this.#ended = this.#follow(client).catch((error: unknown) => {
      this.#faults.push(`the watch ended: ${String(error)}`);
    });
    void this.#ended.then(() => {
      this.#isEnded = true;
      this.#tell();
    });
  }

  /** Waits until everything up to a revision has come. */
  async reached(revision: number): Promise<void> {
    while (this.#revision < revision && !this.#isEnded) await this.#change();
  }

  /** Waits until a key has gone, or gives its end since `faults` was last asked. @returns why. */
  async gone(key: string): Promise<DeleteReason | undefined> {
    for (;;) {
      const changes = [...this.#changesByRevision.values()].reverse();
      const last = changes.map((each) => each.get(key)).find((change) => change !== undefined);
      if (last?.reason !== undefined) return last.reason;
      if (this.#isEnded) return undefined;
      await this.#change();
    }
  }

  /** What is wrong with what has come, also in the light of what was acknowledged since the last call. */
  faults(acknowledged: readonly Acknowledged[]): string[] {
    const faults = this.#faults.splice(0);
    for (const { revision, changes } of acknowledged) {
      const followed = this.#changesByRevision.get(revision) ?? new Map<string, Followed>();
      const isSame = changes.every(({ key, value, leaseId = 0 }) => {
        const change = followed.get(key);
        const isReasonOpen = change?.reason === 'requested' || change?.reason === 'leaseRevoked';
        if (value === undefined) return isReasonOpen;
        return change?.value === value && (leaseId === 0 || change.reason === undefined);
      });
      if (isSame && followed.size === changes.length) continue;
      faults.push(
        `revision ${revision}: acknowledged ${JSON.stringify(changes)}, watched ${JSON.stringify([...followed])}`,
      );
    }
    this.#changesByRevision.clear();
    return faults;
  }

  async end(): Promise<void> {
    this.#controller.abort();
    await this.#ended;
  }

  async #follow(client: KelpClient): Promise<void> {
    const watch = client.watch({
      startRevision: 1,
      progressIntervalMs: 200,
      signal: this.#controller.signal,
      onInterrupted: ({ code }) => this.interruptions.push(code),
    });
    for await (const message of watch) {
      switch (message.kind) {
        case 'events':
          this.#accept(message.revision, message.commitTimeMs, message.events);
          break;
        case 'synced':
        case 'progress':
          if (message.revision < this.#revision) {
            this.#faults.push(`progress went back from ${this.#revision} to ${message.revision}`);
          }
          break;
        default:
          this.#faults.push(`the watch says "${message.kind}"`);
          return;
      }
      this.#revision = Math.max(this.#revision, message.revision);
      this.#tell();
    }
  }

  #accept(revision: number, commitTimeMs: number, events: readonly WatchEvent[]): void {
    if (revision <= this.#revision) this.#faults.push(`revision ${revision} came after ${this.#revision}`);
    if (commitTimeMs < this.#lastCommitTimeMs) this.#faults.push(`revision ${revision} is older than before`);
    this.#lastCommitTimeMs = commitTimeMs;
    const changes = new Map<string, Followed>();
    this.#changesByRevision.set(revision, changes);
    for (const event of events) {
      if (event.type === 'delete') {
        const { key, reason } = event;
        if (!this.entries.delete(key)) this.#faults.push(`${key}: deleted at ${revision}, and was not there`);
        changes.set(key, { value: undefined, reason });
        continue;
      }
      const { key, createRevision, modRevision, version, leaseId, expireTimeMs } = event.entry;
      const value = event.entry.text();
      const before = this.entries.get(key);
      const expected =
        before === undefined
          ? { version: 1, createRevision: revision }
          : { version: before.version + 1, createRevision: before.createRevision };
      if (version !== expected.version || createRevision !== expected.createRevision) {
        const what = `version ${version}, made at ${createRevision}`;
        this.#faults.push(`${key}: at ${revision} it has ${what}, not ${JSON.stringify(expected)}`);
      }
      if (modRevision !== revision) this.#faults.push(`${key}: ${modRevision} came at ${revision}`);
      this.entries.set(key, { value, createRevision, modRevision, version, leaseId, expireTimeMs });
      changes.set(key, { value, reason: undefined });
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
