/** What went wrong with a call, as the page shows it and acts on it. */
import { Code, ConnectError } from '@connectrpc/connect';
import { type ErrorDetail, ErrorDetailSchema } from '../../../gen/kelp/v1/errors_pb.ts';

export interface Failure {
  readonly code: Code;
  readonly message: string;
  /** `undefined`: it says no more. */
  readonly detail: ErrorDetail | undefined;
}

export function failureOf(error: unknown): Failure {
  const from = ConnectError.from(error);
  const [detail] = from.findDetails(ErrorDetailSchema);
  return { code: from.code, message: from.rawMessage, detail };
}

/** The server can't be reached, or takes no calls for now: the same call may succeed later. */
export function isPassing({ code }: Failure): boolean {
  return code === Code.Unavailable || code === Code.DeadlineExceeded || code === Code.Unknown;
}

/** The key's `mod_revision` where the condition of a write did not hold, 0 for a key that is absent; `undefined`: that was not it. */
export function conflictingRevision({ detail }: Failure): bigint | undefined {
  return detail?.info.case === 'conditionFailed' ? detail.info.value.currentModRevision : undefined;
}

/** Whether a revision is not kept any more. */
export function isTooOld({ code }: Failure): boolean {
  return code === Code.OutOfRange;
}
