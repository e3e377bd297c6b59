/** Runs the command line of this process. */
import { endBySignal } from './process/interrupt.ts';
import { Output } from './terminal/output.ts';
import { run } from './run.ts';

export async function start(): Promise<void> {
  const code = await run(process.argv.slice(2), {
    stdin: process.stdin,
    output: new Output(process.stdout, process.stderr),
    environment: process.env,
  });
  process.exitCode = code;
  endBySignal(code);
}
