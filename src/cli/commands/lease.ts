/** `lease grant`, `renew`, `keep-alive`, `revoke`, `get`, `list`. */
import { type Command, Option } from 'commander';
import { leaseTimeToLive, wholeNumber } from '../command-line/argument.ts';
import type { SessionRunner } from '../session/session.ts';

const tasks = () => import('../tasks/lease.ts');

export function addLeaseCommands(program: Command, runner: SessionRunner): void {
  const lease = program
    .command('lease')
    .description('make, renew and end leases: times to live that many keys share')
    .addHelpText('after', help);

  lease
    .command('grant')
    .argument('<ttl>', 'how long it lives without being renewed, 1s or more', leaseTimeToLive)
    .description('make a lease and print its id')
    .addOption(
      new Option('--id <id>', 'the id it shall have; default: the server chooses').argParser(wholeNumber),
    )
    .action((ttlMs: number, flags: { id?: number }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).grant(session, ttlMs, flags.id)),
    );

  lease
    .command('renew')
    .argument('<id>', 'the lease', wholeNumber)
    .description('start the time to live of a lease anew')
    .action((leaseId: number, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).renew(session, leaseId)),
    );

  lease
    .command('keep-alive')
    .argument('<id>', 'the lease', wholeNumber)
    .description('renew a lease until interrupted; exit with 1 when it is lost')
    .action((leaseId: number, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).keepAlive(session, leaseId)),
    );

  lease
    .command('revoke')
    .argument('<id>', 'the lease', wholeNumber)
    .description('end a lease and delete its keys, in one revision')
    .action((leaseId: number, _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).revoke(session, leaseId)),
    );

  lease
    .command('get')
    .argument('<id>', 'the lease', wholeNumber)
    .description('tell about a lease')
    .option('--keys', 'list the keys that are attached to it')
    .action((leaseId: number, flags: { keys?: boolean }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).get(session, leaseId, flags.keys ?? false)),
    );

  lease
    .command('list')
    .description('list the leases in the order of their ids')
    .action((_: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).list(session)),
    );
}

const help = `
Examples:
  id=$(kelp lease grant 30s)
  kelp put workers/7 "$HOSTNAME" --lease "$id"
  kelp lease keep-alive "$id"`;
