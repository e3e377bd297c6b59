/** `If-Match` and `If-None-Match` of requests that name one key: RFC 9110, section 13. */
import type { Version } from '../../../engine/version.ts';
import { StoreError } from '../../../errors.ts';
import type { RestCall } from '../rest-call.ts';
import {
  type Incarnations,
  type TagList,
  entityTag,
  matchesStrongly,
  matchesWeakly,
  tagList,
} from './entity-tag.ts';

export interface Preconditions {
  readonly ifMatch: TagList | undefined;
  readonly ifNoneMatch: TagList | undefined;
}

/** @returns `undefined`: there are none. Throws `invalidArgument`. */
export function preconditionsOf({ request }: RestCall): Preconditions | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = request.headers;
  if (match === undefined && noneMatch === undefined) return undefined;
  return { ifMatch: tagList('If-Match', match), ifNoneMatch: tagList('If-None-Match', noneMatch) };
}

/** Throws `conditionFailed` unless a write may go ahead on an entry as it is; `undefined`: there is none. */
export function checkForWrite(
  { ifMatch, ifNoneMatch }: Preconditions,
  store: Incarnations,
  current: Pick<Version, 'modRevision'> | undefined,
): void {
  const tag = current === undefined ? undefined : entityTag(store, current.modRevision);
  if (ifMatch !== undefined && !matchesStrongly(ifMatch, tag))
    throw conditionFailed('If-Match', tag, current);
  if (ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, tag)) {
    throw conditionFailed('If-None-Match', tag, current);
  }
}

export function conditionFailed(
  name: string,
  tag: string | undefined,
  current: Pick<Version, 'modRevision'> | undefined,
): StoreError {
  const is = tag === undefined ? 'the key does not exist' : `the key has the entity tag ${tag}`;
  return new StoreError('conditionFailed', `${name} does not hold: ${is}`, {
    currentModRevision: current?.modRevision ?? 0,
  });
}
