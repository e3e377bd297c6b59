/** The `kelp` command for tests of permissions: all that `serve` needs is loaded first, then the process becomes "nobody". */
import { Output } from '../../src/cli/output.ts';
import { run } from '../../src/cli/run.ts';
import '../../src/cli/run-server.ts';
import { becomeNobody } from '../support/nobody.ts';

becomeNobody();
process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  output: new Output(process.stdout, process.stderr),
  environment: process.env,
});
