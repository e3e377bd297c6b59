/**
 * `kelp serve` for tests of permissions: all that it needs is loaded first, then the process becomes "nobody", who may not be
 * able to read it where it lies. So it goes around the command line, which loads what a command needs when it runs.
 */
import { exitCodeOf } from '../../src/cli/process/exit-code.ts';
import { tellFailure } from '../../src/cli/process/failure.ts';
import { Output } from '../../src/cli/terminal/output.ts';
import { runServer } from '../../src/cli/tasks/serve.ts';
import { becomeNobody } from '../support/nobody.ts';

const flags = process.argv.slice(3).map((flag) => flag.replace(/^--/, '').split('=', 2) as [string, string]);

becomeNobody();
try {
  await runServer(Object.fromEntries(flags), process.env);
} catch (error) {
  tellFailure(new Output(process.stdout, process.stderr), error, false);
  process.exitCode = exitCodeOf(error);
}
