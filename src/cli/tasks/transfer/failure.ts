/** What the command says of an export or import that has failed, with its own options where a program has others. */
import {
  type ImportProgress,
  TransferError,
  type TransferErrorCode,
} from '../../../transfer/contract/transfer-error.ts';
import { type ExitCode, type Outcome, TaskError, exitCode, exitCodeOf } from '../../process/exit-code.ts';
import { failureText, outcomeOf } from '../../process/failure.ts';
import { InterruptedError } from '../../process/interrupt.ts';
import { OutputClosedError } from '../../terminal/output.ts';

/** Of those codes that are not told by their cause. */
const endingByCode: Readonly<Partial<Record<TransferErrorCode, readonly [ExitCode, Outcome]>>> = {
  keyExists: [exitCode.no, ['already_exists']],
  badInput: [exitCode.usage, ['invalid_argument']],
  invalidArgument: [exitCode.usage, ['invalid_argument']],
  fileExists: [exitCode.usage, ['already_exists']],
  revisionLost: [exitCode.other, ['out_of_range', 'REVISION_COMPACTED']],
  sourceUnavailable: [exitCode.unavailable, ['unavailable']],
  sourceFailed: [exitCode.other, ['failed_precondition']],
};

/** @param more what is to be said behind it. */
export function taskErrorOf(error: unknown, more = ''): unknown {
  if (!(error instanceof TransferError)) return error;
  const { code, cause, done = {} } = error;
  // The reader of the output has had enough: that is no failure.
  if (cause instanceof OutputClosedError) return cause;
  const [ending, outcome] = endingByCode[code] ?? [exitCodeOf(cause), outcomeOf(cause)];
  return new TaskError(textOf(error) + more, ending, outcome, done, { cause });
}

/** The words of the client are those for programs; the command has options in the place of theirs. */
function textOf({ message, cause }: TransferError): string {
  return cause instanceof Error && cause.message !== ''
    ? message.replace(cause.message, () => failureText(cause))
    : message;
}

/** @param failure what has ended the import, if that is known; with a signal it is not the error itself. */
export function importErrorOf(error: unknown, failure: unknown, isDryRun: boolean): unknown {
  const isOfInput = failure instanceof TransferError && failure.code !== 'invalidArgument';
  const done = isOfInput && !isDryRun ? failure.done : undefined;
  const more = done === undefined ? '' : `; ${doneText(done)}`;
  return error instanceof InterruptedError ? error.saying(more) : taskErrorOf(error, more);
}

function doneText({ entryCount, writtenCount }: ImportProgress): string {
  if (entryCount === 0) return 'nothing was imported';
  return `the first ${entryCount} entries are done (${writtenCount} written), nothing after them; to go on, --resume-after ${entryCount}`;
}
