/** The work of `cluster status` and `handover`. */
import { isKelpError } from '../../../client/errors/error.ts';
import type { Member, Members } from '../../../client/messages/types.ts';
import type { Session } from '../../session/session.ts';
import { displayDuration } from '../../terminal/display.ts';
import { Table, formatFacts } from '../../terminal/table.ts';

export async function status(session: Session): Promise<void> {
  const { client, output, isJson } = session;
  const asked = await client.cluster.members();
  const members = asked.role === 'follower' ? ((await membersOfWriter(asked, session)) ?? asked) : asked;
  if (isJson) return output.writeJson(members);
  await output.write(`${formatFacts(factsOf(members))}\n${await tableOf(members)}`);
  if (members.role === 'follower' && members.writerAddress !== '')
    output.note(
      `the writer knows the other nodes, too: kelp cluster status --address ${members.writerAddress}`,
    );
}

/** `undefined`: the writer is not among the servers of `--address`, or does not tell; what the follower knows stands then. */
async function membersOfWriter(
  { writerAddress }: Members,
  { clientOf }: Session,
): Promise<Members | undefined> {
  await using writer = await clientOf(writerAddress);
  try {
    const members = await writer?.cluster.members();
    return members?.role === 'writer' ? members : undefined;
  } catch (error) {
    if (isKelpError(error)) return undefined;
    throw error;
  }
}

export interface HandoverFlags {
  readonly to?: string;
}

export async function handover({ to }: HandoverFlags, { client, output, isJson }: Session): Promise<void> {
  await client.cluster.handover(to === undefined ? {} : { to });
  if (isJson) await output.writeJson({ handedOver: true, ...(to !== undefined && { writerAddress: to }) });
  else if (to !== undefined) await output.writeLine(`handed over: the node at ${to} is the writer now`);
  else await output.writeLine('handed over; another node takes over now, and this one follows it');
}

function factsOf({ address, role, epoch, writerAddress, position, logPosition, lagMs }: Members) {
  return {
    node: `${address}, the ${role}`,
    writer: writerAddress === '' ? 'none is known now' : `${writerAddress}, epoch ${epoch}`,
    log: `batch ${position} of ${logPosition} is here${lagMs === 0 ? '' : `, ${displayDuration(lagMs)} behind`}`,
  };
}

/** What each node has reported of itself, up to a second ago. */
async function tableOf({ writerAddress, logPosition, members }: Members): Promise<string> {
  const table = new Table([
    { title: 'NODE' },
    { title: 'ROLE' },
    { title: 'BATCH', isNumber: true },
    { title: 'BEHIND', isNumber: true },
    { title: 'SNAPSHOT', isNumber: true },
  ]);
  const rowOf = ({ address, position, snapshotPosition }: Member): string[] => [
    address,
    address === writerAddress ? 'writer' : 'follower',
    String(position),
    String(Math.max(0, logPosition - position)),
    snapshotPosition === 0 ? '-' : String(snapshotPosition),
  ];
  return table.format(members.map(rowOf));
}
