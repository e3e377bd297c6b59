/** What a login lacks for a part of the page, and how it gets it; other failures as they are. */
import { Code } from '@connectrpc/connect';
import type { JSX } from 'preact';
import type { Failure } from '../calls/failure.ts';
import { identity } from '../calls/server.ts';
import { FailureNote } from './failure-note.tsx';

interface MissingRightProps {
  readonly failure: Failure | undefined;
  /** What can't be done, such as `Snapshots and backups are`. */
  readonly what: string;
  readonly right: 'admin' | 'read';
}

export function MissingRight({ failure, what, right }: MissingRightProps): JSX.Element | null {
  if (failure?.code !== Code.PermissionDenied) return <FailureNote failure={failure} />;
  const user = identity.value?.user ?? '';
  return (
    <p class="missing-right">
      {what} {right === 'admin' ? 'for operators' : 'for those who may read all keys'}:{' '}
      {user === '' ? 'this login' : <strong>{user}</strong>} has no role that grants{' '}
      <code>{right === 'admin' ? 'admin' : 'read --all'}</code>. Who may change access gives one by{' '}
      <code>kelp role grant ROLE {right === 'admin' ? 'admin' : 'read --all'}</code> and{' '}
      <code>kelp user give {user === '' ? 'USER' : user} ROLE</code>.
    </p>
  );
}
