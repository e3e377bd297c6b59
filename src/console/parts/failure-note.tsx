/** Tells why something was not done. */
import { Code } from '@connectrpc/connect';
import type { JSX } from 'preact';
import type { Failure } from '../calls/failure.ts';

export function FailureNote({ failure }: { readonly failure: Failure | undefined }): JSX.Element | null {
  if (failure === undefined) return null;
  return (
    <p class="failure" role="alert">
      <strong>{titleOf(failure)}</strong> {failure.message}
    </p>
  );
}

/** What is wrong with what was typed. */
export function Wrong({ text }: { readonly text: string | undefined }): JSX.Element | null {
  if (text === undefined) return null;
  return (
    <p class="failure" role="alert">
      {text}
    </p>
  );
}

function titleOf({ code }: Failure): string {
  switch (code) {
    case Code.PermissionDenied:
      return 'Not allowed.';
    case Code.Unauthenticated:
      return 'Not logged in.';
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return 'No answer.';
    default:
      return 'Refused.';
  }
}
