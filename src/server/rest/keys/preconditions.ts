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
  /** `undefined`: there is none, and so for the other. */
  readonly ifMatch: TagList | undefined;
  readonly ifNoneMatch: TagList | undefined;
}

type Current = Pick<Version, 'modRevision'> | undefined;

/** Throws `invalidArgument`. */
export function preconditionsOf({ request: { headers } }: RestCall): Preconditions {
  return {
    ifMatch: tagList('If-Match', headers['if-match']),
    ifNoneMatch: tagList('If-None-Match', headers['if-none-match']),
  };
}

/** For writes that look at none: a condition that is overlooked could be what keeps a write from being lost. Throws `invalidArgument`. */
export function refuseConditions(call: RestCall): void {
  const name = ['if-match', 'if-none-match', 'if-unmodified-since'].find(
    (each) => call.header(each) !== undefined,
  );
  if (name === undefined) return;
  throw new StoreError(
    'invalidArgument',
    `${name} is not looked at here; PUT and DELETE of /v1/keys/{key} take If-Match and If-None-Match`,
  );
}

/** Throws `conditionFailed` unless a write may go ahead on an entry as it is; `undefined`: there is none. */
export function checkForWrite(
  { ifMatch, ifNoneMatch }: Preconditions,
  store: Incarnations,
  current: Current,
): void {
  if (ifMatch === undefined && ifNoneMatch === undefined) return;
  const tag = current === undefined ? undefined : entityTag(store, current.modRevision);
  if (ifMatch !== undefined && !matchesStrongly(ifMatch, tag)) {
    throw conditionFailed('If-Match', tag, current);
  }
  if (ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, tag)) {
    throw conditionFailed('If-None-Match', tag, current);
  }
}

export function conditionFailed(name: string, tag: string | undefined, current: Current): StoreError {
  const is = tag === undefined ? 'the key does not exist' : `the key has the entity tag ${tag}`;
  return new StoreError('conditionFailed', `${name} does not hold: ${is}`, {
    currentModRevision: current?.modRevision ?? 0,
  });
}
