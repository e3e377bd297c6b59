/**
 * What the commands share that work on a store wherever it is: that of a server, or with `--data-dir` one that no server
 * has open, in this process.
 */
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import type { Store } from '../../api.ts';
import type { KelpClient } from '../../client/client.ts';
import { isStoreError } from '../../errors.ts';
import type { KeyForm } from '../command-line/key-form.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import type { Output } from '../terminal/output.ts';
import { type SessionRunner, keyFormOf, refuseClientOptions } from './session.ts';

export interface StoreSession {
  readonly store: Store | KelpClient;
  readonly output: Output;
  readonly stdin: Readable;
  /** Whether to print JSON. */
  readonly isJson: boolean;
  /** How keys are typed and printed. */
  readonly keys: KeyForm;
}

interface StoreFlags {
  readonly dataDir?: string;
  readonly json?: boolean;
  readonly hexKeys?: boolean;
}

/** Of long work each call is tried again a few times: to begin anew for one that was lost would take long. */
const RETRIES = 3;

export function dataDirOption(): Option {
  return new Option(
    '--data-dir <folder>',
    'the store in this folder, without a server; none may have it open',
  );
}

/**
 * Runs a task on the store that the options of its command lead to; what it returns is the exit code.
 * @param mayMake whether a store is made where there is none.
 */
export async function runOnStore(
  runner: SessionRunner,
  command: Command,
  mayMake: boolean,
  task: (session: StoreSession) => Promise<ExitCode | void>,
): Promise<void> {
  const flags = command.optsWithGlobals<StoreFlags>();
  const { dataDir } = flags;
  if (dataDir === undefined) {
    return runner.run(command, ({ client, ...session }) => task({ store: client, ...session }), RETRIES);
  }
  refuseClientOptions(command, ['json', 'hexKeys']);
  const { output, stdin } = runner.surroundings;
  const store = await openAt(dataDir, mayMake);
  try {
    const outcome = await task({ store, output, stdin, isJson: flags.json === true, keys: keyFormOf(flags) });
    runner.exitCode = outcome ?? exitCode.ok;
  } finally {
    await store.close();
  }
}

async function openAt(dataDir: string, mayMake: boolean): Promise<Store> {
  // What only reads must not make a store, for a name that was mistyped.
  const isThere = await stat(`${dataDir}/log`).then(
    (log) => log.isDirectory(),
    () => false,
  );
  if (!isThere && !mayMake) throw new UsageError(`there is no store in ${dataDir}`);
  const { openStore } = await import('../../index.ts');
  const { engineOfDirectory } = await import('../../offline/directory-engine.ts');
  try {
    return await openStore({ dataDir, engine: await engineOfDirectory(dataDir) });
  } catch (error) {
    if (!isStoreError(error, 'locked')) throw error;
    throw new UsageError(
      `${error.message}; while a server has it, give its --address in place of --data-dir`,
      {
        cause: error,
      },
    );
  }
}
