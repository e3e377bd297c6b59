/** The work of `cluster init`: makes the shared log of a new cluster, with the id of its store. */
import { systemRandom } from '../../../clock.ts';
import { shownStoreId } from '../../../cluster/shown-store-id.ts';
import type { SharedLog } from '../../../shared-log/shared-log.ts';
import { SharedLogError } from '../../../shared-log/shared-log-error.ts';
import { TaskError, exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import type { OfflineTask } from '../../session/offline-task.ts';
import { sharedLogOf } from '../../session/shared-log.ts';

export interface InitFlags {
  readonly log?: string;
  readonly logCa?: string;
  readonly logCert?: string;
  readonly logKey?: string;
  readonly logUser?: string;
  readonly logPasswordFile?: string;
  readonly ifMissing?: boolean;
}

const STORE_ID_BYTES = 16;
/** Of each question to the log: somebody waits for the answer. */
const TIMEOUT_MS = 10_000;

export async function init(flags: InitFlags, { output, isJson }: OfflineTask): Promise<void> {
  const { log: address = '', logCa, logCert, logKey, logUser, logPasswordFile } = flags;
  if (address === '')
    throw new UsageError('say where the shared log is to be made: --log etcd://HOST:PORT/PREFIX');
  if ((logUser === undefined) !== (logPasswordFile === undefined)) {
    throw new UsageError('--log-user and --log-password-file go together: give both, or neither');
  }
  if ((logCert === undefined) !== (logKey === undefined)) {
    throw new UsageError('--log-cert and --log-key go together: a certificate is shown with its key');
  }
  const open = await sharedLogOf({
    log: address,
    logTls: { caPath: logCa, certPath: logCert, keyPath: logKey },
    logLogin:
      logUser === undefined || logPasswordFile === undefined
        ? undefined
        : { user: logUser, passwordFile: logPasswordFile },
  });
  const log = open();
  try {
    const storeId = await made(log);
    if (storeId !== undefined) {
      if (isJson) await output.writeJson({ log: address, storeId, isNew: true });
      else await output.writeLine(`made the shared log at ${address}, of the store ${storeId}`);
      return;
    }
    const existingId = shownStoreId(await log.head({ timeoutMs: TIMEOUT_MS }));
    if (flags.ifMissing !== true) throw existsError(address, existingId);
    if (isJson) await output.writeJson({ log: address, storeId: existingId, isNew: false });
    else await output.writeLine(`the shared log at ${address} is there, of the store ${existingId}`);
  } catch (error) {
    throw error instanceof SharedLogError ? initError(error) : error;
  } finally {
    log.close();
  }
}

/** @returns the id of its store; `undefined`: there was one before. */
async function made(log: SharedLog): Promise<string | undefined> {
  const head = await log.init(systemRandom.bytes(STORE_ID_BYTES), { timeoutMs: TIMEOUT_MS });
  return head === 'exists' ? undefined : shownStoreId(head);
}

function existsError(address: string, storeId: string): TaskError {
  return new TaskError(
    `there is a shared log at ${address} already, of the store ${storeId}; it stays as it is, and nodes can be started with it`,
    exitCode.no,
    ['already_exists'],
    { storeId },
  );
}

function initError(error: SharedLogError): TaskError {
  const isUnavailable = error.code === 'unavailable';
  return new TaskError(
    error.message,
    isUnavailable ? exitCode.unavailable : exitCode.other,
    [isUnavailable ? 'unavailable' : 'failed_precondition'],
    {},
    { cause: error },
  );
}
