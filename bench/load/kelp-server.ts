/** KelpDB as its users run it: `kelp serve`, in a process of its own. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FsyncPolicy } from '../../src/index.ts';
import type { CaseContext } from '../bench-case.ts';
import { ChildServer } from './child-server.ts';

const COMMAND = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const BUILT_COMMAND = fileURLToPath(new URL('../../dist/kelp/main.cjs', import.meta.url));
const DOCKERFILE = new URL('../../Dockerfile', import.meta.url);

interface KelpOptions {
  /** Default: one that is free. */
  readonly port?: number;
  /** Of `kelp serve`. */
  readonly options?: readonly string[];
  /** Of Node. */
  readonly nodeOptions?: readonly string[];
  /** The built command, with the variables that its image sets for Node and the C library, in place of the sources. */
  readonly isDeployed?: boolean;
  /** Is given the lines that are none of the log's. */
  readonly onLine?: (line: string) => void;
}

/** Starts a server over `dataDir`; its `ready` is `HOST:PORT`. @param fsync `undefined`: of a node of a cluster. */
export async function startKelp(
  context: CaseContext,
  dataDir: string,
  fsync: FsyncPolicy | undefined,
  { port = 0, options = [], nodeOptions = [], isDeployed = false, onLine }: KelpOptions = {},
): Promise<ChildServer> {
  const { profileDirectory } = context;
  const profile = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const server = await ChildServer.start(context, {
    command: process.execPath,
    args: [
      ...profile,
      ...nodeOptions,
      isDeployed ? BUILT_COMMAND : COMMAND,
      'serve',
      `--listen=127.0.0.1:${port}`,
      `--data-dir=${dataDir}`,
      ...(fsync === undefined ? [] : [`--fsync=${fsync}`]),
      '--log-format=json',
      ...options,
    ],
    environment: isDeployed ? processSettings() : {},
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

/** Runs another command than `serve` to its end; rejects when it fails. */
export async function runKelp(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [COMMAND, ...args]);
}

function processSettings(): Readonly<Record<string, string>> {
  const [, line] = /^ENV (NODE_OPTIONS=.*)$/m.exec(readFileSync(DOCKERFILE, 'utf8')) ?? [];
  if (line === undefined) throw new Error('the image sets variables for Node');
  return Object.fromEntries(
    line.split(' ').map((pair) => pair.split(/=(.*)/s).slice(0, 2)) as [string, string][],
  );
}
