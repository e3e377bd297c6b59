/**
 * How a command tells, on standard error, why it failed: a text for people, or with `--json` a line for scripts.
 *
 *     {"error":{"code":"failed_precondition","reason":"CONDITION_FAILED","message":"...","currentModRevision":5}}
 *
 * Only failures of a call have that form. Mistakes on the command line stay texts: a script can't act on them.
 */
import type { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { type KelpError, type KelpErrorCode, isKelpError } from '../client/error.ts';
import type { Output } from './output.ts';

export function tellFailure(output: Output, error: unknown, isJson: boolean): void {
  if (isJson && isKelpError(error)) output.noteSoon(`${JSON.stringify(failureJson(error))}\n`);
  else output.note(failureText(error));
}

/** Typed details have the names and forms that they have in the TypeScript client; what is absent is left out. */
export function failureJson(error: KelpError): object {
  const [code, reason] = outcomeByCode[error.code];
  const { message, details, mayHaveTakenEffect } = error;
  return {
    error: {
      code,
      ...(reason !== undefined && { reason }),
      message,
      ...details,
      ...(mayHaveTakenEffect && { mayHaveTakenEffect }),
    },
  };
}

export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message || error.name;
  if (!isKelpError(error)) return message;
  if (error.mayHaveTakenEffect) return `${message} (the change may have been made all the same)`;
  if (isKelpError(error, 'conditionFailed')) return message + modRevisionNote(message, error.details);
  return message;
}

/** What to give to `--if-revision` next; 0 is no key. Not all of the server's messages say it. */
function modRevisionNote(
  message: string,
  { currentModRevision }: KelpError<'conditionFailed'>['details'],
): string {
  if (currentModRevision === 0 || message.includes('mod_revision')) return '';
  return ` (its mod_revision is ${currentModRevision})`;
}

/** The name of the gRPC code, as Connect writes it, and that of the reason if `kelp.v1.ErrorReason` has one. */
type Outcome = readonly [code: string, reason?: keyof typeof ErrorReason];

const outcomeByCode: Readonly<Record<KelpErrorCode, Outcome>> = {
  invalidArgument: ['invalid_argument', 'INVALID_ARGUMENT'],
  conditionFailed: ['failed_precondition', 'CONDITION_FAILED'],
  revisionCompacted: ['out_of_range', 'REVISION_COMPACTED'],
  revisionFuture: ['out_of_range', 'REVISION_FUTURE'],
  keyNotFound: ['not_found', 'KEY_NOT_FOUND'],
  leaseNotFound: ['not_found', 'LEASE_NOT_FOUND'],
  leaseExists: ['already_exists', 'LEASE_EXISTS'],
  notAnInteger: ['failed_precondition', 'NOT_AN_INTEGER'],
  integerOverflow: ['failed_precondition', 'INTEGER_OVERFLOW'],
  noTimeToLive: ['failed_precondition', 'NO_TIME_TO_LIVE'],
  limitReached: ['resource_exhausted', 'LIMIT_REACHED'],
  slowWatcher: ['resource_exhausted', 'SLOW_WATCHER'],
  otherStore: ['failed_precondition', 'OTHER_STORE'],
  shuttingDown: ['unavailable', 'SHUTTING_DOWN'],
  recovering: ['unavailable', 'RECOVERING'],
  storageFailed: ['unavailable', 'STORAGE_FAILED'],
  readOnly: ['unavailable', 'READ_ONLY'],
  snapshotFailed: ['internal', 'SNAPSHOT_FAILED'],
  damaged: ['data_loss', 'DAMAGED'],
  unavailable: ['unavailable'],
  deadlineExceeded: ['deadline_exceeded'],
  canceled: ['canceled'],
  closed: ['canceled'],
  unimplemented: ['unimplemented'],
  permissionDenied: ['permission_denied'],
  internal: ['internal'],
};
