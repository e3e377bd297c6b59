/**
 * What was typed into the form of a key that was left without saving or cancelling, by Escape or for another key, with the entry that it began from:
 * it is there again when the key is edited next, and is written on the condition of that entry.
 */
import { type Key, idOf } from '../bytes/key-name.ts';
import { limits } from '../page/limits.ts';
import type { Entry } from './entry.ts';
import type { Typed } from './value-fields.tsx';

interface LeftDraft {
  readonly entry: Entry;
  readonly typed: Typed;
}

/** Those that were changed last are at the end. */
const drafts = new Map<string, LeftDraft>();

export function draftLeft(key: Key): LeftDraft | undefined {
  return drafts.get(idOf(key));
}

export function keepDraft(key: Key, draft: LeftDraft): void {
  dropDraft(key);
  drafts.set(idOf(key), draft);
  for (const [id] of drafts) {
    if (drafts.size <= limits.draftsMax) break;
    drafts.delete(id);
  }
}

export function dropDraft(key: Key): void {
  drafts.delete(idOf(key));
}
