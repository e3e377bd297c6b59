/** KelpDB as its users run it: `kelp serve`, in a process of its own. */
import { fileURLToPath } from 'node:url';
import type { FsyncPolicy } from '../../src/index.ts';
import type { CaseContext } from '../bench-case.ts';
import { ChildServer } from './child-server.ts';

const COMMAND = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

interface KelpOptions {
  /** Of `kelp serve`. */
  readonly options?: readonly string[];
  /** Of Node. */
  readonly nodeOptions?: readonly string[];
  /** Is given the lines that are none of the log's. */
  readonly onLine?: (line: string) => void;
}

/** Starts a server over `dataDir`; its `ready` is `HOST:PORT`. */
export async function startKelp(
  context: CaseContext,
  dataDir: string,
  fsync: FsyncPolicy,
  { options = [], nodeOptions = [], onLine }: KelpOptions = {},
): Promise<ChildServer> {
  const { profileDirectory } = context;
  const profile = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const server = await ChildServer.start(context, {
    command: process.execPath,
    args: [
      ...profile,
      ...nodeOptions,
      COMMAND,
      'serve',
      '--listen=127.0.0.1:0',
      `--data-dir=${dataDir}`,
      `--fsync=${fsync}`,
      '--log-format=json',
      ...options,
    ],
    findReady: (line) => {
      // What Node itself prints is no line of the log.
      if (!line.startsWith('{')) {
        onLine?.(line);
        return undefined;
      }
      const { msg, address } = JSON.parse(line) as { readonly msg: string; readonly address?: string };
      return msg === 'ready' ? address : undefined;
    },
  });
  if (server === undefined) throw new Error(`${process.execPath} can not be run`);
  return server;
}
