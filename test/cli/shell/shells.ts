/** The shell as a script runs it, in this process: against a server, and with an embedded store. */
import { join } from 'node:path';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { type Circumstances, Kelp, type Outcome, jsonLines } from '../kelp.ts';

export type RunScript = (lines: readonly string[], circumstances?: ShellCircumstances) => Promise<Outcome>;

export interface ShellCircumstances extends Omit<Circumstances, 'stdin'> {
  readonly isJson?: boolean;
}

/** Each makes a store, and what runs a script against it. */
export const shells: readonly (readonly [string, () => Promise<RunScript>])[] = [
  [
    'a server',
    async () => {
      const { address } = await startTestServer();
      return scriptsWith(new Kelp(address), []);
    },
  ],
  [
    'an embedded store',
    async () => scriptsWith(new Kelp(':1'), ['--data-dir', join(await temporaryDirectory(), 'data')]),
  ],
];

export function scriptsWith(kelp: Kelp, options: readonly string[]): RunScript {
  return (lines, { isJson = false, ...circumstances } = {}) =>
    kelp.run(['shell', ...options, ...(isJson ? ['--json'] : [])], {
      ...circumstances,
      stdin: lines.map((line) => `${line}\n`).join(''),
    });
}

/** The lines of a script that must not fail, but for answers that are no. */
export async function replies(run: RunScript, ...lines: string[]): Promise<string[]> {
  const { stdout, stderr } = await run(lines);
  if (stderr !== '') throw new Error(stderr);
  return stdout.split('\n').slice(0, -1);
}

export async function jsonReplies(run: RunScript, ...lines: string[]): Promise<unknown[]> {
  return jsonLines((await run(lines, { isJson: true })).stdout);
}
