/** What the parts of the page show, each read page by page. */
import type { JSX } from 'preact';
import type { Role, Token, User } from '../../../gen/kelp/v1/access_pb.ts';
import { formatCount } from '../bytes/text.ts';
import { access } from '../calls/server.ts';
import { limits } from '../page/limits.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { ForwardPages } from '../parts/forward-pages.ts';

const request = { limit: limits.accessAtOnce };

export interface AccessLists {
  readonly users: ForwardPages<User>;
  readonly roles: ForwardPages<Role>;
  readonly tokens: ForwardPages<Token>;
}

export function newLists(): AccessLists {
  return {
    users: new ForwardPages<User>(async (pageToken, signal) => {
      const { users, nextPageToken } = await access.listUsers({ ...request, pageToken }, { signal });
      return { rows: users, nextPageToken };
    }, limits.accessMax),
    roles: new ForwardPages<Role>(async (pageToken, signal) => {
      const { roles, nextPageToken } = await access.listRoles({ ...request, pageToken }, { signal });
      return { rows: roles, nextPageToken };
    }, limits.accessMax),
    tokens: new ForwardPages<Token>(async (pageToken, signal) => {
      const { tokens, nextPageToken } = await access.listTokens({ ...request, pageToken }, { signal });
      return { rows: tokens, nextPageToken };
    }, limits.accessMax),
  };
}

interface MoreProps {
  readonly source: ForwardPages<User> | ForwardPages<Role> | ForwardPages<Token>;
  readonly one: string;
}

/** How many are shown, and a button for those that are not. */
export function More({ source, one }: MoreProps): JSX.Element {
  const { rows, hasMore, isReading, failure } = source;
  const count = rows.value.length;
  return (
    <>
      <FailureNote failure={failure.value} />
      <p class="field-line">
        <span class="hint" role="status">
          {count === 0 && isReading.value
            ? 'Reading'
            : `${formatCount(count)} ${one}${count === 1 ? '' : 's'}${hasMore.value ? ' and more' : ''}`}
        </span>
        {hasMore.value && (
          <button
            type="button"
            class="quiet"
            disabled={isReading.value}
            onClick={() => void source.readAfter()}
          >
            More
          </button>
        )}
      </p>
    </>
  );
}
