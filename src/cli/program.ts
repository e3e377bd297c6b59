/** The command line of `kelp`. */
import { Command, CommanderError } from 'commander';
import { addAliases, helpOfNames } from './command-line/aliases.ts';
import { addAboutCommands } from './commands/about.ts';
import { addAccessCommand } from './commands/access.ts';
import { addAdminCommands } from './commands/admin.ts';
import { addBackupCommand } from './commands/backup.ts';
import { addClusterCommand } from './commands/cluster.ts';
import { addHashCommands } from './commands/data-types/hash.ts';
import { addListCommands } from './commands/data-types/list.ts';
import { addSetCommands } from './commands/data-types/set.ts';
import { addSketchCommands } from './commands/data-types/sketch.ts';
import { addSortedSetCommands } from './commands/data-types/sorted-set.ts';
import { addLeaseCommands } from './commands/lease.ts';
import { addLogCommand } from './commands/log.ts';
import { addReadCommands } from './commands/read.ts';
import { addRoleCommands } from './commands/role.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addServeCommand } from './commands/serve.ts';
import { addShellCommand } from './commands/shell.ts';
import { addTokenCommands, addWhoAmICommand } from './commands/token.ts';
import { addTransferCommands } from './commands/transfer.ts';
import { addTxnCommand } from './commands/txn.ts';
import { addUserCommands } from './commands/user.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { addWatchCommand } from './commands/watch.ts';
import { addWriteCommands } from './commands/write.ts';
import { commandGroups, pathOf } from './command-line/command-path.ts';
import { type Surroundings, SessionRunner, clientOptions } from './session/session.ts';
import { refuseReplacedBytes } from './command-line/utf8-arguments.ts';
import { version } from './process/version.ts';

export interface Program {
  readonly command: Command;
  readonly runner: SessionRunner;
}

/** With `isJson`, standard error holds nothing but JSON: a help that comes in place of a command is left out. */
export function buildProgram(surroundings: Surroundings, isJson = false): Program {
  const runner = new SessionRunner(surroundings);
  const command = new Command('kelp')
    .description('KelpDB: a durable, watchable key-value store')
    .version(version, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .configureHelp({ showGlobalOptions: true, ...helpOfNames })
    .configureOutput({
      writeOut: (text) => surroundings.output.writeSoon(text),
      writeErr: (text) => (isJson ? undefined : surroundings.output.noteSoon(text)),
      // Told once for all kinds of failures, by `tellFailure`.
      outputError: () => undefined,
    })
    .addHelpText('after', help)
    .hook('preAction', (_, asked) => refuseReplacedBytes(asked))
    .exitOverride();
  for (const option of clientOptions(surroundings.environment)) command.addOption(option);

  command.commandsGroup('Server:');
  addServeCommand(command, surroundings);
  addShellCommand(command, runner);
  command.commandsGroup('Keys:');
  addReadCommands(command, runner);
  addWriteCommands(command, runner);
  addTxnCommand(command, runner);
  addWatchCommand(command, runner);
  command.commandsGroup('Data types:');
  addHashCommands(command, runner);
  addListCommands(command, runner);
  addSetCommands(command, runner);
  addSortedSetCommands(command, runner);
  addSketchCommands(command, runner);
  command.commandsGroup('Leases:');
  addLeaseCommands(command, runner);
  command.commandsGroup('Access:');
  addUserCommands(command, runner);
  addRoleCommands(command, runner);
  addTokenCommands(command, runner);
  addWhoAmICommand(command, runner);
  command.commandsGroup('Operation:');
  addAdminCommands(command, runner);
  addBackupCommand(command, runner);
  addTransferCommands(command, runner);
  addClusterCommand(command, runner);
  command.commandsGroup('Files of a store:');
  addVerifyCommand(command, runner);
  addLogCommand(command, runner);
  addRestoreCommand(command, runner);
  addAccessCommand(command, runner);
  command.commandsGroup('Help:');
  addAboutCommands(command, runner);
  addAliases(command);
  for (const group of commandGroups(command)) group.exitOverride((error) => throwToldOf(group, error));
  return { command, runner };
}

/** Commander says of a line that ends before a command that it has printed the help, which is left out at times. */
function throwToldOf(group: Command, error: CommanderError): never {
  if (error.code !== 'commander.help') throw error;
  const asked = ['kelp help', ...pathOf(group)].join(' ');
  throw new CommanderError(error.exitCode, error.code, `the line ends before a command; ${asked} lists them`);
}

const help = `
Exit codes:
  0  done
  1  the answer is no: there is no such key, lease or name, a name is taken, a condition does not hold, or data is
     damaged
  2  the command line or the request is wrong
  3  the server can't be reached, is not ready or did not answer in time
  4  any other refusal or failure
  128 and the number of a signal: interrupted by it
With --json, standard error tells why a command failed as {"error": {"code", "reason", "message", and what goes with
it}}, in one line.

Examples:
  kelp serve
  kelp put greeting hello
  kelp get greeting
  kelp watch --prefix config/`;
