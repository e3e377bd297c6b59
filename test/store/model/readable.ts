/** What stores answer, in a form that tests compare and people read. */
import { expect } from 'vitest';
import type { StoreErrorCode } from '../../../src/errors.ts';
import type { Entry, KeyRange, Store, WatchEvent, WatchMessage, WatchRequest } from '../../../src/api.ts';

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'utf8'));
}

export function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString('utf8');
}

/** An entry with its value as text. */
export function plain(entry: Entry | undefined): (Omit<Entry, 'value'> & { value: string }) | undefined {
  return entry && { ...entry, value: textOf(entry.value) };
}

/** "key=value", the form most tests need. */
export function pairOf(entry: Entry): string {
  return `${entry.key}=${textOf(entry.value)}`;
}

export async function valueOf(store: Store, key: string, revision = 0): Promise<string | undefined> {
  const { entry } = await store.get(key, { revision });
  return entry && textOf(entry.value);
}

/** All entries of a range, page by page. */
export async function allPairs(store: Store, range: KeyRange = {}, revision = 0): Promise<string[]> {
  const pairs: string[] = [];
  let pageToken = '';
  do {
    const page = await store.scan(range, { revision, pageToken });
    pairs.push(...page.entries.map(pairOf));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return pairs;
}

/** Expects that a call is refused with an error of this code, and with these details. */
export async function refused(call: Promise<unknown>, code: StoreErrorCode, details?: object): Promise<void> {
  const expected = details === undefined ? { code } : { code, details };
  await expect(call).rejects.toMatchObject({ name: 'StoreError', ...expected });
}

/** One line for each event: what a reader of a test wants to see. */
export function lineOf(event: WatchEvent): string {
  const before = event.previous === undefined ? '' : ` was ${textOf(event.previous.value)}`;
  switch (event.type) {
    case 'put':
      return `put ${pairOf(event.entry)}${event.replacedExpired === true ? ' replacedExpired' : ''}${before}`;
    case 'touch':
      return `touch ${event.entry.key} until ${event.entry.expireTimeMs}${before}`;
    case 'delete':
      return `delete ${event.key} ${event.reason}${before}`;
  }
}

/** One text for each message of a watch. */
export function messageText(message: WatchMessage): string {
  switch (message.kind) {
    case 'current':
      return `current ${message.revision}: ${message.entries.map(pairOf).join(', ')}`;
    case 'synced':
      return `synced ${message.revision}`;
    case 'progress':
      return `progress ${message.revision}`;
    case 'events':
      return `${message.revision}: ${message.events.map(lineOf).join(', ')}${message.moreFragments ? ' ...' : ''}`;
  }
}

/** A watch that a test reads message by message. */
export class Watching {
  readonly iterator: AsyncIterableIterator<WatchMessage>;

  constructor(store: Store, request: WatchRequest = {}) {
    this.iterator = store.watch(request);
  }

  /** Begins a watch and reads what comes before live events. */
  static async live(store: Store, request: WatchRequest = {}): Promise<Watching> {
    const watching = new Watching(store, request);
    for (;;) if ((await watching.next()).kind === 'synced') return watching;
  }

  /** The next message; fails when the watch has ended. */
  async next(): Promise<WatchMessage> {
    const { done, value } = await this.iterator.next();
    if (done === true) throw new Error('the watch has ended');
    return value;
  }

  async nextText(): Promise<string> {
    return messageText(await this.next());
  }

  /** The next messages as texts. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) texts.push(await this.nextText());
    return texts;
  }

  /** Reads up to the one that begins with `start`, which is not among the result. */
  async textsBefore(start: string): Promise<string[]> {
    const texts: string[] = [];
    for (;;) {
      const text = await this.nextText();
      if (text.startsWith(start)) return texts;
      texts.push(text);
    }
  }

  async stop(): Promise<void> {
    await this.iterator.return?.();
  }
}
