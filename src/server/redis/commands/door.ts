/**
 * What commands about sessions and the server know of the door that they came by. Their rows are there without one, for
 * COMMAND's tables and `docs/redis.md`; `withDoor` makes rows that run of them.
 */
import type { Clock, Random } from '../../../clock.ts';
import type { KeyspaceEvents } from '../keyspace/keyspace-events.ts';
import type { CommandStats } from '../observed/command-stats.ts';
import type { AclUsers } from '../acl/acl-users.ts';
import type { DeniedLog } from '../observed/denied-log.ts';
import type { Monitors } from '../observed/monitors.ts';
import type { SlowLog } from '../observed/slow-log.ts';
import type { Channels } from '../pubsub/channels.ts';
import type { Delivery } from '../pubsub/delivery.ts';
import type { Settings } from '../settings/settings.ts';
import type { Tracking } from '../tracking/tracking.ts';
import type { CommandCall, CommandFacts } from './command.ts';
import type { ServerFacts } from './server-facts.ts';
import type { ClientSession, ClientSessions, SessionCommand } from './session-command.ts';
import type { CommandTable } from './table.ts';

export interface Door {
  readonly sessions: ClientSessions;
  /** Of all commands; it is put together after these. */
  readonly table: () => CommandTable;
  readonly channels: Channels;
  readonly delivery: Delivery;
  readonly events: KeyspaceEvents;
  readonly tracking: Tracking;
  readonly settings: Settings;
  readonly stats: CommandStats;
  readonly slowLog: SlowLog;
  readonly deniedLog: DeniedLog;
  readonly users: AclUsers;
  readonly monitors: Monitors;
  readonly server: ServerFacts;
  readonly clock: Clock;
  readonly random: Random;
}

type DoorHandler = (door: Door, session: ClientSession, call: CommandCall) => void | Promise<void>;

export type DoorCommand = CommandFacts & Pick<SessionCommand, 'isLong'> & { readonly door: DoorHandler };

export function withDoor(commands: readonly DoorCommand[], door: Door): readonly SessionCommand[] {
  return commands.map(({ door: run, ...facts }) => ({
    ...facts,
    session: (session, call) => run(door, session, call),
  }));
}
