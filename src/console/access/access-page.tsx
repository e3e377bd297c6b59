/** The page of access: whether it is open or closed, who is there, what roles grant, and tokens. */
import { Code } from '@connectrpc/connect';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { access, answeredCount, identify, identity } from '../calls/server.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import type { ForwardPages } from '../parts/forward-pages.ts';
import { useLoaded } from '../parts/loaded.ts';
import { newLists } from './access-lists.tsx';
import { RolesPart } from './roles-part.tsx';
import { TokensPart } from './tokens-part.tsx';
import { OwnPassword, UsersPart } from './users-part.tsx';

export function AccessPage(): JSX.Element {
  const who = useLoaded('who', (signal) => access.whoAmI({}, { signal }));
  const [lists] = useState(newLists);
  const returns = answeredCount.value;
  const user = identity.value?.user ?? '';
  const isClosed = who.value?.isClosed ?? identity.value?.isClosed ?? false;
  /** After any change, since most of them show in more than one part. */
  function readAll(): void {
    for (const list of Object.values(lists) as readonly ForwardPages<unknown>[]) void list.show();
    who.reload();
    // Access may be closed from now on.
    void identify().catch(() => undefined);
  }
  useEffect(() => {
    for (const list of Object.values(lists) as readonly ForwardPages<unknown>[]) void list.show();
  }, [returns]);
  useEffect(
    () => () => {
      for (const list of Object.values(lists) as readonly ForwardPages<unknown>[]) list.close();
    },
    [],
  );
  const failure = lists.users.failure.value;
  const isRefused = failure?.code === Code.PermissionDenied;
  return (
    <div class="page access">
      <h1>Access</h1>
      <section class="card" aria-label="Who you are">
        <Who user={user} isClosed={isClosed} roles={who.value?.roles} />
        <FailureNote failure={who.failure} />
        {user !== '' && <OwnPassword user={user} />}
      </section>
      {isRefused ? (
        <p class="failure" role="alert">
          <strong>Not allowed.</strong> Users, roles and tokens are for operators: a role with the grant{' '}
          <b>admin</b> is needed, which your roles do not have. The user root gives it.
        </p>
      ) : (
        <>
          <UsersPart lists={lists} onChanged={readAll} />
          <RolesPart lists={lists} onChanged={readAll} />
          <TokensPart lists={lists} ownUser={user} onChanged={readAll} />
        </>
      )}
    </div>
  );
}

interface WhoProps {
  readonly user: string;
  readonly isClosed: boolean;
  readonly roles: readonly string[] | undefined;
}

function Who({ user, isClosed, roles = [] }: WhoProps): JSX.Element {
  const names = user === 'root' ? 'may do everything' : roles.length === 0 ? 'none' : roles.join(', ');
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Access</dt>
          <dd>{isClosed ? 'closed' : 'open'}</dd>
        </div>
        <div>
          <dt>You are</dt>
          <dd>{user === '' ? 'not logged in' : user}</dd>
        </div>
        {user !== '' && (
          <div>
            <dt>Your roles</dt>
            <dd>{names}</dd>
          </div>
        )}
      </dl>
      {!isClosed && (
        <p class="hint">
          Every client may do everything. Access is closed as soon as there is a user <b>root</b>: make it
          below, or by <code>kelp user add root</code>. From then on each call needs a login, and nothing is
          allowed that no role of its user grants. Where access is held open beside a root,{' '}
          <code>etcdctl auth enable</code> closes it, or a start with <code>--root-password-file</code>.
        </p>
      )}
    </>
  );
}
