/** The command `kelp` as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { childEnvironment } from '../../support/child-environment.ts';

/** Runs the command to its end. Rejects with what it said when it fails. @returns its output. */
export async function kelp(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(process.cwd(), 'src/cli/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: childEnvironment(),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`kelp ${args.join(' ')} ended with ${code}:\n${output}`);
  return output;
}
