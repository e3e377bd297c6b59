/** The work of `lease grant`, `renew`, `keep-alive`, `revoke`, `get`, `list`. */
import type { Lease } from '../../api.ts';
import { isKelpError } from '../../client/errors/error.ts';
import { displayDuration } from '../terminal/display.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import { tellFailure } from '../process/failure.ts';
import { listedKeyJson } from '../../api-json.ts';
import type { Session } from '../session/session.ts';
import { Table, formatFacts } from '../terminal/table.ts';

export async function grant(
  { client, output, isJson }: Session,
  ttlMs: number,
  leaseId: number | undefined,
): Promise<void> {
  const lease = await client.leases.grant(ttlMs, leaseId === undefined ? {} : { leaseId });
  if (isJson) await output.writeJson({ leaseId: lease.id, ttlMs: lease.ttlMs });
  else await output.writeLine(String(lease.id));
}

export async function renew({ client, output, isJson }: Session, leaseId: number): Promise<void> {
  const { ttlMs } = await client.leases.renew(leaseId);
  if (isJson) await output.writeJson({ leaseId, ttlMs });
  else await output.writeLine(`lease ${leaseId} lives for ${displayDuration(ttlMs)} from now`);
}

export async function keepAlive({ client, output, isJson }: Session, leaseId: number): Promise<ExitCode> {
  const lease = (await client.leases.resume(leaseId)).keepAlive();
  if (isJson) await output.writeJson({ leaseId, ttlMs: lease.ttlMs });
  else output.note(`keeping lease ${leaseId} of ${displayDuration(lease.ttlMs)} alive; interrupt to stop`);
  const reason = await lease.lost;
  if (isKelpError(reason, 'unauthenticated') || isKelpError(reason, 'permissionDenied')) throw reason;
  tellFailure(output, reason, isJson);
  return exitCode.no;
}

export async function revoke({ client, output, isJson }: Session, leaseId: number): Promise<void> {
  const { deletedCount, revision } = await client.leases.revoke(leaseId);
  if (isJson) await output.writeJson({ deletedCount, revision });
  else await output.writeLine(`deleted ${deletedCount}, revision ${revision}`);
}

export async function get(
  { client, output, isJson, keys }: Session,
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
  await output.write(formatFacts(facts) + lease.keys.map((key) => `  ${keys.show(key)}\n`).join(''));
}

export async function list({ client, output, isJson }: Session): Promise<void> {
  const table = new Table([
    { title: 'LEASE', isNumber: true },
    { title: 'TTL', isNumber: true },
    { title: 'REMAINING', isNumber: true },
    { title: 'KEYS', isNumber: true },
  ]);
  for await (const { items } of client.leases.list().pages()) {
    const text = isJson
      ? items.map((lease) => `${JSON.stringify(leaseJson(lease, false))}\n`).join('')
      : await table.format(items.map(leaseRow));
    await output.write(text);
  }
}

function leaseJson({ leaseId, ttlMs, remainingMs, keyCount, keys }: Lease, hasKeys: boolean): object {
  return { leaseId, ttlMs, remainingMs, keyCount, ...(hasKeys && { keys: keys.map(listedKeyJson) }) };
}

function leaseRow({ leaseId, ttlMs, remainingMs, keyCount }: Lease): string[] {
  return [String(leaseId), displayDuration(ttlMs), displayDuration(remainingMs), String(keyCount)];
}
