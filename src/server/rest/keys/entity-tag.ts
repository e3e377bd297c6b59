/**
 * Entity tags of keys (RFC 9110, section 8.8.3): `"INCARNATION-MOD_REVISION"`, the first digits of the incarnation that wrote
 * the value and the revision of that, as in `"4c1d5b9a07e2-17"`. So they outlast restarts, and one that was given before a
 * history was lost is never that of another value.
 */
import { StoreError } from '../../../errors.ts';
import { shortPlace } from '../short-place.ts';

/** What tells which incarnation wrote a revision. */
export interface Incarnations {
  incarnationOf(revision: number): string;
}

export function entityTag(store: Incarnations, modRevision: number): string {
  return `"${shortPlace(store.incarnationOf(modRevision), modRevision)}"`;
}

/** What stands in `If-Match` or `If-None-Match`: any entity, or a list of tags as they are written. */
export type TagList = '*' | readonly string[];

const TAG = /[ \t]*(?:((?:W\/)?"[!#-~\u0080-\u00ff]*")[ \t]*)?(?:,|$)/y;

/** @returns `undefined` when there is no such header. Throws `invalidArgument`: a condition must not be overlooked. */
export function tagList(name: string, text: string | undefined): TagList | undefined {
  if (text === undefined) return undefined;
  if (text.trim() === '*') return '*';
  const tags: string[] = [];
  for (TAG.lastIndex = 0; TAG.lastIndex < text.length;) {
    const match = TAG.exec(text);
    if (match === null) throw malformed(name);
    if (match[1] !== undefined) tags.push(match[1]);
  }
  if (tags.length === 0) throw malformed(name);
  return tags;
}

/**
 * The strong comparison: no weak tag is the same as another. RFC 9110, section 8.8.3.2.
 * @param tag `undefined`: there is no entity.
 */
export function matchesStrongly(list: TagList, tag: string | undefined): boolean {
  return tag !== undefined && (list === '*' || list.includes(tag));
}

/** The weak comparison: a tag is the same, weak or not. */
export function matchesWeakly(list: TagList, tag: string | undefined): boolean {
  return tag !== undefined && (list === '*' || list.some((each) => each.replace(/^W\//, '') === tag));
}

function malformed(name: string): StoreError {
  return new StoreError(
    'invalidArgument',
    `${name} is neither * nor a list of entity tags in double quotes, such as "4c1d5b9a07e2-17"`,
  );
}
