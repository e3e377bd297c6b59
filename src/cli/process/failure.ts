/**
 * How a command tells, on standard error, why it failed: a text for people, or with `--json` a line for scripts.
 *
 *     {"error":{"code":"failed_precondition","reason":"CONDITION_FAILED","message":"...","currentModRevision":5}}
 *
 * Every failure has that form: of a call, of work with files, of the command line itself.
 */
import { CommanderError } from 'commander';
import { type MisconfigurationKind, misconfigurationOf } from '../../client/errors/connect-failure.ts';
import { type KelpError, type KelpErrorCode, isKelpError } from '../../client/errors/error.ts';
import { StoreError, type StoreErrorCode } from '../../errors.ts';
import { OptionError } from '../../server/config/option-values.ts';
import { type Outcome, TaskError } from './exit-code.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { InterruptedError } from './interrupt.ts';
import type { Output } from '../terminal/output.ts';

export function tellFailure(output: Output, error: unknown, isJson: boolean): void {
  if (isJson) output.noteSoon(`${JSON.stringify(failureJson(error))}\n`);
  else output.note(failureText(error));
}

/** Typed details have the names and forms that they have in the TypeScript client; what is absent is left out. */
export function failureJson(error: unknown): object {
  const [code, reason] = outcomeOf(error);
  const isOfClient = isKelpError(error);
  return {
    error: {
      code,
      ...(reason !== undefined && { reason }),
      message: isOfClient ? clientMessage(error) : failureText(error),
      ...(isOfClient && error.details),
      ...(error instanceof TaskError && error.details),
      ...(isOfClient && error.mayHaveTakenEffect && { mayHaveTakenEffect: true }),
    },
  };
}

export function outcomeOf(error: unknown): Outcome {
  if (error instanceof StoreError) return outcomeByCode[(error as StoreError).code];
  if (isKelpError(error)) return outcomeByCode[error.code];
  if (error instanceof TaskError) return error.outcome;
  if ([CommanderError, UsageError, OptionError].some((kind) => error instanceof kind)) {
    return outcomeByCode.invalidArgument;
  }
  if (error instanceof InterruptedError) return outcomeByCode.canceled;
  return outcomeByErrno[errnoOf(error)] ?? outcomeByCode.internal;
}

/** What the system said, of an error of a file or the one that it came from. */
function errnoOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'code' in error && String(error.code) in outcomeByErrno ? String(error.code) : errnoOf(error.cause);
}

export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CommanderError) return commanderText(error);
  if (!isKelpError(error)) return error.message || error.name;
  const message = clientMessage(error);
  if (error.mayHaveTakenEffect) return `${message} (the change may have been made all the same)`;
  if (isKelpError(error, 'conditionFailed')) return message + modRevisionNote(message, error.details);
  return message;
}

/** What the client says, with the options of the command in place of those of a program. */
function clientMessage(error: KelpError): string {
  const wrong = misconfigurationOf(error);
  if (wrong === undefined) {
    const message = error.message || error.name;
    const advice = adviceByCode[error.code];
    return advice === undefined ? message : `${message}; ${advice}`;
  }
  const advice = adviceByKind[wrong.kind];
  return advice === undefined ? wrong.message : `${wrong.message}; ${advice}`;
}

const adviceByCode: Readonly<Partial<Record<KelpErrorCode, string>>> = {
  unauthenticated: 'log in with --user NAME, --token-file FILE or KELP_TOKEN',
  permissionDenied: 'kelp whoami tells your roles, kelp role show what one grants',
};

const adviceByKind: Readonly<Partial<Record<MisconfigurationKind, string>>> = {
  peerHasTls: 'use --tls, or https:// in --address or KELP_ADDRESS',
  peerHasNoTls: 'use http:// in --address or KELP_ADDRESS, and no --tls',
  peerHasNoHttp2: 'give the address of the server, or of a proxy that speaks HTTP/2',
  unknownAuthority: 'give the certificate to trust with --tls-ca or KELP_TLS_CA',
};

/**
 * In one line, the guess at what was meant with it. What was typed where nothing stands may be a secret, and is left out: the
 * value of an option that is not known, and arguments beyond those that a command has.
 */
function commanderText({ message }: CommanderError): string {
  return message
    .replace(/^(error: unknown option '[^'=]*)=[^]*'/, "$1'")
    .replace(/^(error: too many arguments.* but got \d+): [^]*/, '$1')
    .replace(/^error: /, '')
    .trim()
    .replaceAll('\n', ' ');
}

/** What to give to `--if-revision` next; 0 is no key. Not all of the server's messages say it. */
function modRevisionNote(
  message: string,
  { currentModRevision }: KelpError<'conditionFailed'>['details'],
): string {
  if (currentModRevision === 0 || message.includes('mod_revision')) return '';
  return ` (its mod_revision is ${currentModRevision})`;
}

const outcomeByCode: Readonly<Record<KelpErrorCode | StoreErrorCode, Outcome>> = {
  invalidArgument: ['invalid_argument', 'INVALID_ARGUMENT'],
  conditionFailed: ['failed_precondition', 'CONDITION_FAILED'],
  revisionCompacted: ['out_of_range', 'REVISION_COMPACTED'],
  revisionFuture: ['out_of_range', 'REVISION_FUTURE'],
  keyNotFound: ['not_found', 'KEY_NOT_FOUND'],
  leaseNotFound: ['not_found', 'LEASE_NOT_FOUND'],
  leaseExists: ['already_exists', 'LEASE_EXISTS'],
  unauthenticated: ['unauthenticated', 'UNAUTHENTICATED'],
  nameNotFound: ['not_found', 'NAME_NOT_FOUND'],
  nameTaken: ['already_exists', 'NAME_TAKEN'],
  notAnInteger: ['failed_precondition', 'NOT_AN_INTEGER'],
  integerOverflow: ['failed_precondition', 'INTEGER_OVERFLOW'],
  wrongType: ['failed_precondition', 'WRONG_TYPE'],
  notAFloat: ['failed_precondition', 'NOT_A_FLOAT'],
  notANumber: ['failed_precondition', 'NOT_A_NUMBER'],
  indexOutOfRange: ['out_of_range', 'INDEX_OUT_OF_RANGE'],
  notClustered: ['failed_precondition', 'NOT_CLUSTERED'],
  notHandedOver: ['failed_precondition', 'NOT_HANDED_OVER'],
  noTimeToLive: ['failed_precondition', 'NO_TIME_TO_LIVE'],
  limitReached: ['resource_exhausted', 'LIMIT_REACHED'],
  slowWatcher: ['resource_exhausted', 'SLOW_WATCHER'],
  otherStore: ['failed_precondition', 'OTHER_STORE'],
  historyDiffers: ['failed_precondition', 'HISTORY_DIFFERS'],
  partlyDeleted: ['aborted', 'PARTLY_DELETED'],
  notWriter: ['unavailable', 'NOT_WRITER'],
  shuttingDown: ['unavailable', 'SHUTTING_DOWN'],
  recovering: ['unavailable', 'RECOVERING'],
  storageFailed: ['unavailable', 'STORAGE_FAILED'],
  readOnly: ['unavailable', 'READ_ONLY'],
  snapshotFailed: ['internal', 'SNAPSHOT_FAILED'],
  readFailed: ['unavailable', 'READ_FAILED'],
  damaged: ['data_loss', 'DAMAGED'],
  locked: ['failed_precondition'],
  unavailable: ['unavailable'],
  deadlineExceeded: ['deadline_exceeded'],
  canceled: ['canceled'],
  closed: ['canceled'],
  unimplemented: ['unimplemented'],
  permissionDenied: ['permission_denied', 'PERMISSION_DENIED'],
  internal: ['internal'],
};

const outcomeByErrno: Readonly<Partial<Record<string, Outcome>>> = {
  ENOENT: ['not_found'],
  EEXIST: ['already_exists'],
  ENOSPC: ['resource_exhausted'],
  EDQUOT: ['resource_exhausted'],
  EACCES: ['permission_denied'],
  EPERM: ['permission_denied'],
  EROFS: ['permission_denied'],
};
