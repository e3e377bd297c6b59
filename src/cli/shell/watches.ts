/** The watches that run beside the commands of a shell, and tell what they see as it comes. */
import type { Entry, KeyRange } from '../../api.ts';
import type { WatchMessage } from '../../client/messages/types.ts';
import { shell as limits } from '../../limits.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { failureJson, failureText } from '../process/failure.ts';
import { watchJson } from '../../api-json.ts';
import { WatchLines } from '../terminal/watch-lines.ts';
import type { ShellStore } from './store/shell-store.ts';
import { quoteWord } from '../../shell-words/quote.ts';

/** What a watch has to say: whole lines, and for programs an object. Resolves when it is printed. */
export type Tell = (text: string, json: object) => Promise<void>;

export class Watches {
  readonly #store: ShellStore;
  readonly #tell: Tell;
  readonly #running = new Map<string, RunningWatch>();

  constructor(store: ShellStore, tell: Tell) {
    this.#store = store;
    this.#tell = tell;
  }

  get names(): readonly string[] {
    return [...this.#running.keys()];
  }

  /**
   * Begins a watch, and resolves when it is sure to see what changes from then on.
   * @param name as it was typed.
   * @returns the revision behind which it tells all.
   */
  async start(name: string, range: KeyRange, signal: AbortSignal): Promise<number> {
    if (this.#running.has(name)) throw new UsageError(`${name} is being watched already`);
    if (this.#running.size >= limits.watchesMax) {
      throw new UsageError(`${limits.watchesMax} watches run already; UNWATCH ends some`);
    }
    const watch = new RunningWatch(name, this.#tell);
    this.#running.set(name, watch);
    const giveUp = (): void => watch.end();
    signal.addEventListener('abort', giveUp);
    try {
      return await watch.run(this.#store, range, () => {
        // Another one of the same name may have begun since.
        if (this.#running.get(name) === watch) this.#running.delete(name);
      });
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** @returns whether there was one. */
  end(name: string): boolean {
    const watch = this.#running.get(name);
    watch?.end();
    return this.#running.delete(name);
  }

  endAll(): void {
    for (const name of this.names) this.end(name);
  }
}

class RunningWatch {
  readonly #name: string;
  readonly #tell: Tell;
  readonly #controller = new AbortController();
  readonly #lines = new WatchLines(quoteWord, false);
  /** Up to here everything has been told. */
  #revision = 0;

  constructor(name: string, tell: Tell) {
    this.#name = name;
    this.#tell = tell;
  }

  end(): void {
    this.#controller.abort();
  }

  run(store: ShellStore, range: KeyRange, onEnd: () => void): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const { signal } = this.#controller;
    const messages = store.watch(range, {
      signal,
      onInterrupted: (error) => void this.#say(`${failureText(error)}; connecting again ...`, 'interrupted'),
      onResumed: () => void this.#say('connected again', 'resumed'),
    });
    let hasBegun = false;
    const follow = async (): Promise<void> => {
      for await (const message of messages) {
        if (!hasBegun && message.kind === 'synced') {
          hasBegun = true;
          this.#revision = message.revision;
          resolve(message.revision);
        } else {
          await this.#take(message);
        }
      }
      if (!hasBegun) throw new UsageError('the watch was given up');
    };
    follow()
      .catch((error: unknown) => {
        if (!hasBegun) reject(error);
        else if (!signal.aborted) return this.#sayEnd(error);
        return undefined;
      })
      // The output is closed: its owner notices by itself.
      .catch(() => undefined)
      .finally(onEnd);
    return promise;
  }

  async #take(message: WatchMessage<Entry>): Promise<void> {
    switch (message.kind) {
      case 'events': {
        const lines = this.#lines.of(message).replace(/^(?=.)/gm, 'watch  ');
        await this.#tell(lines, { watch: this.#name, ...watchJson(message, true) });
        break;
      }
      case 'compacted': {
        const { requestedRevision, oldestRevision } = message;
        const error = new UsageError(
          `revision ${requestedRevision} is not kept any more, the oldest is ${oldestRevision}`,
        );
        await this.#sayEnd(error);
        return;
      }
      case 'current':
      case 'synced':
      case 'progress':
        break;
      case 'restarted':
        return;
    }
    this.#revision = message.revision;
  }

  #sayEnd(error: unknown): Promise<void> {
    const text = `watch  ${this.#name} has ended: ${failureText(error)}; it has told everything up to revision ${this.#revision}\n`;
    const json = { watch: this.#name, kind: 'ended', revision: this.#revision, ...failureJson(error) };
    return this.#tell(text, json);
  }

  #say(text: string, kind: 'interrupted' | 'resumed'): Promise<void> {
    return this.#tell(`watch  ${this.#name}: ${text}\n`, { watch: this.#name, kind }).catch(() => undefined);
  }
}
