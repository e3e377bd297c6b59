/** `cluster init`, `status`, `handover`. */
import { type Command, Option } from 'commander';
import { runOffline } from '../session/offline-task.ts';
import type { SessionRunner } from '../session/session.ts';
import type { InitFlags } from '../tasks/cluster/init.ts';
import type { HandoverFlags } from '../tasks/cluster/members.ts';

const tasks = () => import('../tasks/cluster/members.ts');

export function addClusterCommand(program: Command, runner: SessionRunner): void {
  const cluster = program
    .command('cluster')
    .description('make a cluster, tell how its nodes do, let another node be the writer')
    .addHelpText('after', help);
  const { environment } = runner.surroundings;
  const logOption = (flags: string, description: string, variable: string): Option =>
    new Option(flags, `${description} (env: ${variable})`).default(environment[variable] || undefined);

  cluster
    .command('init')
    .description('make the shared log of a new cluster, once, before its nodes are started')
    .configureHelp({ showGlobalOptions: false })
    .addOption(
      logOption(
        '--log <address>',
        'where: etcd://HOST:PORT,HOST:PORT,HOST:PORT/PREFIX, or etcds:// for TLS',
        'KELP_LOG',
      ),
    )
    .addOption(logOption('--log-ca <file>', 'PEM file of authorities to trust of etcd', 'KELP_LOG_CA'))
    .addOption(logOption('--log-cert <file>', 'PEM file of the certificate to show etcd', 'KELP_LOG_CERT'))
    .addOption(logOption('--log-key <file>', 'PEM file of its key', 'KELP_LOG_KEY'))
    .addOption(logOption('--log-user <name>', 'log in to etcd as this user', 'KELP_LOG_USER'))
    .addOption(
      logOption(
        '--log-password-file <file>',
        'file with the password of that user',
        'KELP_LOG_PASSWORD_FILE',
      ),
    )
    .option('--if-missing', 'end well where there is one already, too, which stays as it is')
    .option('--json', 'print JSON')
    .action((flags: InitFlags, command: Command) =>
      runOffline(runner, command, async (task) =>
        (await import('../tasks/cluster/init.ts')).init(flags, task),
      ),
    );

  cluster
    .command('status')
    .description(
      'tell how the nodes of a cluster do, where --address names the writer; else what a node knows',
    )
    .action((_: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).status(session)),
    );

  cluster
    .command('handover')
    .description('have the writer hand over to another node, and wait until it has; --address is the writer')
    .option('--to <address>', 'the node that is to be the writer, as status shows it (default: any)')
    .action((flags: HandoverFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).handover(flags, session)),
    );
}

const help = `
A cluster is several servers with one store. What they have in common lies in an etcd of their own (docs/replication.md).

Examples:
  kelp cluster init --log etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379/kelp/main
  kelp cluster status --address 10.0.1.1:7379
  kelp cluster handover --address 10.0.1.1:7379 --to 10.0.1.2:7379`;
