/** `help`, `version`, `completion`: what the command tells about itself. */
import { Argument, Command } from 'commander';
import { commandAt, commandGroups, unknownCommand } from '../command-line/command-path.ts';
import { type SessionRunner, refuseClientOptions } from '../session/session.ts';
import { version } from '../process/version.ts';

/** To be added last: the others have to be there. */
export function addAboutCommands(program: Command, runner: SessionRunner): void {
  const { output } = runner.surroundings;
  program
    .command('version')
    .description('print the version')
    .configureHelp({ showGlobalOptions: false })
    .option('--json', 'print JSON')
    .action(async (_: unknown, command: Command) => {
      refuseClientOptions(command, ['json']);
      const isJson = command.optsWithGlobals<{ readonly json?: boolean }>().json === true;
      await (isJson ? output.writeJson({ version }) : output.writeLine(version));
    });

  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'which one').choices(['bash', 'zsh', 'fish']))
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', completionHelp)
    .action(async (shell: string, _: unknown, command: Command) => {
      refuseClientOptions(command);
      const { completionScript } = await import('../completion/script.ts');
      await output.write(completionScript(program, shell));
    });

  for (const group of commandGroups(program)) addHelp(group);
}

/** Commander's own `help` looks one name far, and takes one that it does not know for none. */
function addHelp(group: Command): void {
  const help = new Command('help')
    .argument('[command...]')
    .description('print the help of a command')
    .action((names: string[]) => commandAt(group, names).outputHelp());
  group.helpCommand(false).addCommand(help.copyInheritedSettings(group));
  group.on('command:*', ([name = '']: string[]) => {
    throw unknownCommand(group, name);
  });
}

const completionHelp = `
Put one of these lines where your shell reads it at its start (zsh: behind compinit):
  source <(kelp completion bash)      # ~/.bashrc
  source <(kelp completion zsh)       # ~/.zshrc
  kelp completion fish | source       # ~/.config/fish/config.fish`;
