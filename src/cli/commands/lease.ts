/** `lease grant`, `renew`, `keep-alive`, `revoke`, `get`, `list`. */
import { type Command, Option } from 'commander';
import type { Lease } from '../../client/types.ts';
import { duration, wholeNumber } from '../argument.ts';
import { displayDuration, displayKey } from '../display.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { tellFailure } from '../failure.ts';
import type { Session, SessionRunner } from '../session.ts';
import { Table, formatFacts } from '../table.ts';

export function addLeaseCommands(program: Command, runner: SessionRunner): void {
  const lease = program
    .command('lease')
    .description('make, renew and end leases: times to live that many keys share')
    .addHelpText('after', help);

  lease
    .command('grant')
    .argument('<ttl>', 'how long it lives without being renewed, 1s or more', duration)
    .description('make a lease and print its id')
    .addOption(
      new Option('--id <id>', 'the id it shall have; default: the server chooses').argParser(wholeNumber),
    )
    .action((ttlMs: number, flags: { id?: number }, command: Command) =>
      runner.run(command, (session) => grant(session, ttlMs, flags.id)),
    );

  lease
    .command('renew')
    .argument('<id>', 'the lease', wholeNumber)
    .description('start the time to live of a lease anew')
    .action((leaseId: number, _: unknown, command: Command) =>
      runner.run(command, (session) => renew(session, leaseId)),
    );

  lease
    .command('keep-alive')
    .argument('<id>', 'the lease', wholeNumber)
    .description('renew a lease until interrupted; exit with 1 when it is lost')
    .action((leaseId: number, _: unknown, command: Command) =>
      runner.run(command, (session) => keepAlive(session, leaseId)),
    );

  lease
    .command('revoke')
    .argument('<id>', 'the lease', wholeNumber)
    .description('end a lease and delete its keys, in one revision')
    .action((leaseId: number, _: unknown, command: Command) =>
      runner.run(command, (session) => revoke(session, leaseId)),
    );

  lease
    .command('get')
    .argument('<id>', 'the lease', wholeNumber)
    .description('tell about a lease')
    .option('--keys', 'list the keys that are attached to it')
    .action((leaseId: number, flags: { keys?: boolean }, command: Command) =>
      runner.run(command, (session) => get(session, leaseId, flags.keys ?? false)),
    );

  lease
    .command('list')
    .description('list the leases in the order of their ids')
    .action((_: unknown, command: Command) => runner.run(command, list));
}

async function grant(
  { client, output, isJson }: Session,
  ttlMs: number,
  leaseId: number | undefined,
): Promise<void> {
  const lease = await client.leases.grant(ttlMs, leaseId === undefined ? {} : { leaseId });
  if (isJson) await output.writeJson({ leaseId: lease.id, ttlMs: lease.ttlMs });
  else await output.writeLine(String(lease.id));
}

async function renew({ client, output, isJson }: Session, leaseId: number): Promise<void> {
  const { ttlMs } = await client.leases.renew(leaseId);
  if (isJson) await output.writeJson({ leaseId, ttlMs });
  else await output.writeLine(`lease ${leaseId} lives for ${displayDuration(ttlMs)} from now`);
}

async function keepAlive({ client, output, isJson }: Session, leaseId: number): Promise<ExitCode> {
  const lease = (await client.leases.resume(leaseId)).keepAlive();
  if (isJson) await output.writeJson({ leaseId, ttlMs: lease.ttlMs });
  else output.note(`keeping lease ${leaseId} of ${displayDuration(lease.ttlMs)} alive; interrupt to stop`);
  tellFailure(output, await lease.lost, isJson);
  return exitCode.no;
}

async function revoke({ client, output, isJson }: Session, leaseId: number): Promise<void> {
  const { deletedCount, revision } = await client.leases.revoke(leaseId);
  if (isJson) await output.writeJson({ deletedCount, revision });
  else await output.writeLine(`deleted ${deletedCount}, revision ${revision}`);
}

async function get(
  { client, output, isJson }: Session,
  leaseId: number,
  includeKeys: boolean,
): Promise<void> {
  const lease = await client.leases.get(leaseId, { includeKeys });
  if (isJson) return output.writeJson(leaseJson(lease, includeKeys));
  const facts = {
    lease: String(leaseId),
    'time to live': displayDuration(lease.ttlMs),
    remaining: displayDuration(lease.remainingMs),
    keys: String(lease.keyCount),
  };
  await output.write(formatFacts(facts) + lease.keys.map((key) => `  ${displayKey(key)}\n`).join(''));
}

async function list({ client, output, isJson }: Session): Promise<void> {
  const table = new Table([
    { title: 'LEASE', isNumber: true },
    { title: 'TTL', isNumber: true },
    { title: 'REMAINING', isNumber: true },
    { title: 'KEYS', isNumber: true },
  ]);
  for await (const { items } of client.leases.list().pages()) {
    const text = isJson
      ? items.map((lease) => `${JSON.stringify(leaseJson(lease, false))}\n`).join('')
      : table.format(items.map(leaseRow));
    await output.write(text);
  }
}

function leaseJson({ leaseId, ttlMs, remainingMs, keyCount, keys }: Lease, hasKeys: boolean): object {
  return { leaseId, ttlMs, remainingMs, keyCount, ...(hasKeys && { keys }) };
}

function leaseRow({ leaseId, ttlMs, remainingMs, keyCount }: Lease): string[] {
  return [String(leaseId), displayDuration(ttlMs), displayDuration(remainingMs), String(keyCount)];
}

const help = `
Examples:
  id=$(kelp lease grant 30s)
  kelp put workers/7 "$HOSTNAME" --lease "$id"
  kelp lease keep-alive "$id"`;
