/** What the commands that work with files of a store, and not with a server, share. */
import type { Command } from 'commander';
import { holdProcess } from '../../clock.ts';
import type { OnProgress } from '../../progress.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import type { Output } from '../terminal/output.ts';
import { progressOn } from '../terminal/progress.ts';
import { type SessionRunner, refuseClientOptions } from './session.ts';

export interface OfflineTask {
  readonly output: Output;
  /** Whether to print JSON. */
  readonly isJson: boolean;
  /** Shows how far long work is, on standard error. */
  readonly onProgress: OnProgress;
}

/** Runs a task without a client; what it returns is the exit code. */
export async function runOffline(
  runner: SessionRunner,
  command: Command,
  task: (offline: OfflineTask) => Promise<ExitCode | void>,
): Promise<void> {
  refuseClientOptions(command, ['json']);
  const { output } = runner.surroundings;
  const isJson = command.optsWithGlobals<{ readonly json?: boolean }>().json === true;
  // While a task waits to try again, for an etcd that is not there yet, nothing else keeps the process.
  const hold = holdProcess();
  try {
    const outcome = await task({ output, isJson, onProgress: progressOn(output, isJson) });
    runner.exitCode = outcome ?? exitCode.ok;
  } finally {
    hold.cancel();
  }
}
