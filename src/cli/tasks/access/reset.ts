/** The work of `access reset`. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import {
  type AccessFound,
  resetAccess as deleteAccess,
  resetRootPassword,
} from '../../../offline/reset-access.ts';
import { type ExitCode, exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import type { OfflineTask } from '../../session/offline-task.ts';
import { displayCount } from '../../terminal/display.ts';
import { isTerminal } from '../../terminal/is-terminal.ts';

export interface ResetFlags {
  readonly dataDir: string;
  readonly rootPasswordFile?: string;
  readonly yes?: boolean;
}

export async function resetAccess(
  { dataDir, rootPasswordFile, yes = false }: ResetFlags,
  stdin: Readable,
  task: OfflineTask,
): Promise<ExitCode> {
  if (rootPasswordFile !== undefined) return setRootPassword(dataDir, rootPasswordFile, task);
  if (!yes && (task.isJson || !isTerminal(stdin))) {
    throw new UsageError(
      'this deletes all users, roles and tokens, and there is no terminal to ask on: give --yes, or --root-password-file to give root another password and keep all others',
    );
  }
  const { output, isJson, onProgress } = task;
  const found = await deleteAccess(dataDir, onProgress, async (there) => {
    if (yes || isEmpty(there)) return true;
    output.noteSoon(
      `In ${dataDir} there are ${counted(there)}. All of them are deleted; keys and values stay. Access is then open: a server on an\n` +
        'address that other machines reach starts only with --root-password-file or --allow-anonymous.\n' +
        'To give root another password and keep all others, answer no, and give --root-password-file.\n' +
        'Delete them? [y/N] ',
    );
    return isYes(stdin);
  });
  const { isDone } = found;
  if (isJson) await output.writeJson(found);
  else if (isEmpty(found))
    await output.writeLine('access is open already: there are no users, roles or tokens');
  else if (isDone) await output.writeLine(`deleted ${counted(found)}; access is open`);
  else await output.writeLine('nothing was changed');
  return isDone ? exitCode.ok : exitCode.no;
}

async function setRootPassword(
  dataDir: string,
  path: string,
  { output, isJson, onProgress }: OfflineTask,
): Promise<ExitCode> {
  const { mayAllRead, ...found } = await resetRootPassword(dataDir, path, onProgress);
  const { hasRoot, isHeldOpen, rootTokens } = found;
  // With --json, standard error holds nothing but JSON.
  if (mayAllRead && !isJson) {
    output.note(`--root-password-file: every user of this machine may read ${path}; chmod 600 it`);
  }
  if (isJson) await output.writeJson(found);
  else {
    const done = hasRoot ? 'root has another password' : 'root was made';
    await output.writeLine(hasRoot && !isHeldOpen ? done : `${done}; access is closed`);
  }
  if (rootTokens.length > 0 && !isJson) {
    output.note(
      `tokens of root stay valid: ${rootTokens.join(', ')}; kelp token revoke takes back what others may have`,
    );
  }
  return exitCode.ok;
}

function isEmpty({ userCount, roleCount, tokenCount, unknownCount }: AccessFound): boolean {
  return userCount + roleCount + tokenCount + unknownCount === 0;
}

function counted({ userCount, roleCount, tokenCount, unknownCount }: AccessFound): string {
  const parts = [
    displayCount(userCount, 'user'),
    displayCount(roleCount, 'role'),
    displayCount(tokenCount, 'token'),
    ...(unknownCount > 0 ? [displayCount(unknownCount, 'unknown record')] : []),
  ];
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/** Whether the next line says so; its end without one says no. */
async function isYes(stdin: Readable): Promise<boolean> {
  const lines = createInterface({ input: stdin, terminal: false });
  try {
    const ended = once(lines, 'close').then(() => ['']);
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
    return /^y(es)?$/i.test(line.trim());
  } finally {
    lines.close();
  }
}
