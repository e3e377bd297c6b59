/** The command line of `kelp`. */
import { Command } from 'commander';
import { addAdminCommands } from './commands/admin.ts';
import { addBackupCommand } from './commands/backup.ts';
import { addLeaseCommands } from './commands/lease.ts';
import { addLogCommand } from './commands/log.ts';
import { addReadCommands } from './commands/read.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addServeCommand } from './commands/serve.ts';
import { addTxnCommand } from './commands/txn.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWatchCommand } from './commands/watch.ts';
import { addWriteCommands } from './commands/write.ts';
import { type Surroundings, SessionRunner, clientOptions } from './session.ts';
import { refuseReplacedBytes } from './utf8-arguments.ts';
import { version } from './version.ts';

export interface Program {
  readonly command: Command;
  readonly runner: SessionRunner;
}

export function buildProgram(surroundings: Surroundings): Program {
  const runner = new SessionRunner(surroundings);
  const command = new Command('kelp')
    .description('KelpDB: a durable, watchable key-value store')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpCommand(
      new Command('help')
        .argument('[command]')
        .description('print the help of a command')
        .helpGroup('Operation:'),
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => surroundings.output.writeSoon(text),
      writeErr: (text) => surroundings.output.noteSoon(text),
      // One line, the guess at what was meant with it.
      outputError: (text) =>
        surroundings.output.note(
          text
            .replace(/^error: /, '')
            .trim()
            .replaceAll('\n', ' '),
        ),
    })
    .addHelpText('after', help)
    .hook('preAction', (_, asked) => refuseReplacedBytes(asked))
    .exitOverride();
  for (const option of clientOptions(surroundings.environment)) command.addOption(option);

  command.commandsGroup('Server:');
  addServeCommand(command, surroundings);
  command.commandsGroup('Keys:');
  addReadCommands(command, runner);
  addWriteCommands(command, runner);
  addTxnCommand(command, runner);
  addWatchCommand(command, runner);
  command.commandsGroup('Leases:');
  addLeaseCommands(command, runner);
  command.commandsGroup('Operation:');
  addAdminCommands(command, runner);
  addBackupCommand(command, runner);
  command.commandsGroup('Files of a store:');
  addVerifyCommand(command, runner);
  addLogCommand(command, runner);
  addRestoreCommand(command, runner);
  return { command, runner };
}

const help = `
Exit codes:
  0  done
  1  the answer is no: there is no such key or lease, a condition does not hold, or data is damaged
  2  the command line or the request is wrong
  3  the server can't be reached, is not ready or did not answer in time
  4  any other refusal or failure
With --json, standard error tells why a call failed as {"error": {"code", "reason", "message", and what goes with it}}.

Examples:
  kelp serve
  kelp put greeting hello
  kelp get greeting
  kelp watch --prefix config/`;
