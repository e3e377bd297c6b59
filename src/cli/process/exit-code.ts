/** How the command ends, for scripts; `kelp --help` shows this table. */
import { CommanderError } from 'commander';
import type { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { type KelpErrorCode, isKelpError } from '../../client/errors/error.ts';
import { StoreError, type StoreErrorCode } from '../../errors.ts';
import { OptionError } from '../../server/config/option-values.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { InterruptedError } from './interrupt.ts';

export const exitCode = {
  ok: 0,
  /** The answer is no: there is no such key, lease, user, role or token, or there is one already; a condition did not hold, or data is damaged. */
  no: 1,
  /** The command line, a file of options or what was to be sent is wrong. */
  usage: 2,
  /** The server can't be reached, is not ready or did not answer in time. */
  unavailable: 3,
  /** Any other refusal or failure. */
  other: 4,
} as const;

/** One of those above, or what a shell says of a command that a signal has ended: 128 and the signal's number. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode] | InterruptedError['exitCode'];

/** The name of the gRPC code, as Connect writes it, and that of the reason if `kelp.v1.ErrorReason` has one. */
export type Outcome = readonly [code: string, reason?: keyof typeof ErrorReason];

/** A failure of a task that is told in its own words, with all that scripts learn of it. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly exitCode: ExitCode;
  readonly outcome: Outcome;
  /** What `--json` shows besides. */
  readonly details: object;

  constructor(
    message: string,
    exitCode: ExitCode,
    outcome: Outcome,
    details: object,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.exitCode = exitCode;
    this.outcome = outcome;
    this.details = details;
  }
}

const exitCodeByKelpCode: Partial<Record<KelpErrorCode, ExitCode>> = {
  keyNotFound: exitCode.no,
  leaseNotFound: exitCode.no,
  nameNotFound: exitCode.no,
  nameTaken: exitCode.no,
  conditionFailed: exitCode.no,
  invalidArgument: exitCode.usage,
  unavailable: exitCode.unavailable,
  recovering: exitCode.unavailable,
  shuttingDown: exitCode.unavailable,
  storageFailed: exitCode.unavailable,
  notWriter: exitCode.unavailable,
  readOnly: exitCode.unavailable,
  readFailed: exitCode.unavailable,
  deadlineExceeded: exitCode.unavailable,
};

/** What the tools meet that work with files. */
const exitCodeByStoreCode: Partial<Record<StoreErrorCode, ExitCode>> = {
  damaged: exitCode.no,
  invalidArgument: exitCode.usage,
};

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof StoreError) return exitCodeByStoreCode[(error as StoreError).code] ?? exitCode.other;
  if (error instanceof TaskError) return error.exitCode;
  if (isKelpError(error)) return exitCodeByKelpCode[error.code] ?? exitCode.other;
  // Commander counts an asked-for help or version as an error too, one with the exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  if (error instanceof InterruptedError) return error.exitCode;
  if (error instanceof UsageError || error instanceof OptionError) return exitCode.usage;
  return exitCode.other;
}
