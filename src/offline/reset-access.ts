/**
 * A way in for an operator who has lost the password of root, and whom no server lets in: on the files of a store that no server has
 * open. Either root gets another password and all else stays, or users, roles and tokens are deleted together, which opens
 * access: `docs/decisions/0021-access-reset.md` tells why there is nothing between. Each is one transaction of the log.
 */
import { Access } from '../access/access.ts';
import { readSecretFile } from '../secret-file.ts';
import { type AccessCounts, countAccess, deleteAllAccess, tokens } from '../access/records/access-records.ts';
import { ROOT } from '../access/records/open-hold.ts';
import { setRootPassword } from '../access/root.ts';
import { systemClock, systemRandom } from '../clock.ts';
import { StoreError, isStoreError } from '../errors.ts';
import { openUncheckedStore } from '../kv/open-store.ts';
import type { KvStore } from '../kv/kv-store.ts';
import { fixed } from '../limits.ts';
import type { OnProgress } from '../progress.ts';
import { dataDirectory } from '../store/directory/data-directory.ts';
import { engineOfDirectory } from './directory-engine.ts';
import { kindOf } from './file-system.ts';

export type AccessFound = AccessCounts;

export interface RootFound extends AccessFound {
  /** Whether there is a user root, and so whether access is closed, unless it is held open. */
  readonly hasRoot: boolean;
  /** Whether access is open although there is a user root. */
  readonly isHeldOpen: boolean;
  /** Its tokens, which another password leaves as they are. */
  readonly rootTokens: readonly string[];
}

/**
 * Deletes all users, roles and tokens, if `confirm` has it so, whether they can be understood or not.
 * @returns what was there. Rejects with a `StoreError`: `invalidArgument` when there is no store, `locked` when it is open.
 */
export async function resetAccess(
  dataDir: string,
  onProgress: OnProgress,
  confirm: (found: AccessFound) => Promise<boolean>,
): Promise<AccessFound & { readonly isDone: boolean }> {
  return onStore(dataDir, onProgress, async (store) => {
    const found = store.readVisible(countAccess);
    const isDone = await confirm(found);
    if (isDone) await store.transact(deleteAllAccess);
    return { ...found, isDone };
  });
}

/**
 * Gives root the password of a file, and makes it if need be; all others stay as they are. Access is closed then.
 * @returns what was there. Rejects as `resetAccess` does, and with `invalidArgument` for the file.
 */
export async function resetRootPassword(
  dataDir: string,
  passwordFile: string,
  onProgress: OnProgress,
): Promise<RootFound & { readonly mayAllRead: boolean }> {
  const { secret: password, mayAllRead } = await readSecretFile(passwordFile, 'password');
  return onStore(dataDir, onProgress, async (store) => {
    const access = new Access({ store, clock: systemClock, random: systemRandom });
    const found = foundIn(store, access);
    await setRootPassword(access, password);
    return { ...found, mayAllRead };
  });
}

/** The limits are those of the server, which this does not know: nothing is let go of that it might keep. */
const limits = {
  logRetentionBytes: fixed.integerMax,
  logRetentionMs: fixed.integerMax,
  snapshotLogBytes: fixed.integerMax,
};

async function onStore<Result>(
  dataDir: string,
  onProgress: OnProgress,
  work: (store: KvStore) => Promise<Result>,
): Promise<Result> {
  // To open a store that is not there would make it.
  if ((await kindOf(dataDirectory(dataDir).log)) !== 'folder') {
    throw new StoreError('invalidArgument', `there is no store in ${dataDir}`);
  }
  const store = await openUncheckedStore({
    dataDir,
    engine: await engineOfDirectory(dataDir),
    limits,
    memoryBytesMax: fixed.integerMax,
    onRecoveryProgress: ({ doneBytes, totalBytes }) =>
      onProgress({ work: 'reading the store', doneBytes, totalBytes }),
  }).catch((error: unknown) => {
    if (!isStoreError(error, 'locked')) throw error;
    throw new StoreError('locked', `a server has ${dataDir} open; stop it first`, { cause: error });
  });
  try {
    return await work(store);
  } finally {
    await store.close({ snapshotMsMax: 0 });
  }
}

function foundIn(store: KvStore, { table }: Access): RootFound {
  return store.readVisible((view) => ({
    ...countAccess(view),
    hasRoot: table.user(ROOT) !== undefined,
    isHeldOpen: table.isHeldOpen,
    rootTokens: tokens(view).flatMap(([name, { user }]) => (user === ROOT ? [name] : [])),
  }));
}
