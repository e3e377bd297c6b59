/**
 * What stands beside the connections of the Redis door: pub/sub, keyspace events, client-side caching, settings, and the counts of what runs; with the
 * commands that are about these.
 */
import type { Clock, Random } from '../../clock.ts';
import type { Seam } from '../../store/seam.ts';
import type { RedisGauges } from '../metrics/redis/redis-meter.ts';
import { type DoorCommand, type Door, withDoor } from './commands/door.ts';
import { aclCommands } from './commands/families/server/acl.ts';
import { clientCommands, lineOf } from './commands/families/connection/client.ts';
import { commandCommands } from './commands/families/server/command.ts';
import { configCommands } from './commands/families/server/config.ts';
import { functionCommands, withFunctions } from './commands/families/functions.ts';
import { scriptCommands, withScripting } from './commands/families/scripts.ts';
import { debugCommands, debugKeyCommands } from './commands/families/server/debug.ts';
import { memoryCommands, memoryKeyCommands } from './commands/families/server/memory.ts';
import { latencyCommands } from './commands/families/server/latency.ts';
import { observedCommands } from './commands/families/server/observed.ts';
import { pubSubCommands } from './commands/families/connection/pubsub.ts';
import { trackingCommands } from './commands/families/connection/tracking.ts';
import { serverCommands } from './commands/families/server/server.ts';
import type { ServerFacts } from './commands/server-facts.ts';
import type { ClientSessions } from './commands/session-command.ts';
import type { CommandTable, TableRow } from './commands/table.ts';
import type { CommandHooks } from './connection/connection-context.ts';
import type { EventClasses } from './keyspace/event-classes.ts';
import { KeyspaceEvents } from './keyspace/keyspace-events.ts';
import type { AclUsers } from './acl/acl-users.ts';
import { DeniedLog } from './observed/denied-log.ts';
import { CommandObserver } from './observed/command-observer.ts';
import { Channels } from './pubsub/channels.ts';
import { Delivery } from './pubsub/delivery.ts';
import type { ScriptLogLevel } from './scripting/redis-library.ts';
import { Functions } from './scripting/functions/functions.ts';
import type { ScriptingOptions } from './scripting/script-runner.ts';
import { Scripting } from './scripting/scripting.ts';
import { Settings } from './settings/settings.ts';
import { Tracking } from './tracking/tracking.ts';

/** Rows of commands about sessions and the server, without the door that they run on. */
export const doorCommands: readonly DoorCommand[] = [
  ...pubSubCommands,
  ...clientCommands,
  ...trackingCommands,
  ...configCommands,
  ...commandCommands,
  ...aclCommands,
  ...latencyCommands,
  ...observedCommands,
  ...memoryCommands,
  ...debugCommands,
  ...serverCommands,
];

export interface DoorServicesOptions {
  readonly seam: Seam;
  readonly clock: Clock;
  readonly random: Random;
  readonly server: ServerFacts;
  readonly users: AclUsers;
  /** Of keyspace events: those that are told from the start. */
  readonly eventClasses: EventClasses;
  /** The connections and all commands: asked for when a command runs. */
  readonly connections: () => ClientSessions & { readonly table: CommandTable };
  /** Something was thrown within a script that is neither a `ReplyError` nor a `StoreError`. */
  readonly onDefect: (command: string, error: unknown) => void;
  /** What scripts have to say to the log. */
  readonly onScriptLog: (level: ScriptLogLevel, text: string) => void;
}

export class DoorServices {
  readonly rows: readonly TableRow[];
  readonly #channels = new Channels();
  readonly #observer: CommandObserver;
  readonly #deniedLog: DeniedLog;
  readonly #events: KeyspaceEvents;
  readonly #delivery: Delivery;
  readonly #tracking: Tracking;

  constructor(options: DoorServicesOptions) {
    const { seam, clock, random, server, users, eventClasses, connections } = options;
    const channels = this.#channels;
    this.#delivery = new Delivery({ seam, channels, yieldNow: (run) => clock.yieldNow(run) });
    this.#events = new KeyspaceEvents({ seam, channels, delivery: this.#delivery });
    this.#events.classes = eventClasses;
    this.#delivery.onTransaction(this.#events.settle);
    this.#tracking = new Tracking({ seam, clock, sessions: connections });
    this.#observer = new CommandObserver(clock);
    const { stats, slowLog, monitors } = this.#observer;
    const deniedLog = (this.#deniedLog = new DeniedLog(clock, lineOf));
    const door: Door = {
      get sessions() {
        return connections();
      },
      table: () => connections().table,
      channels,
      delivery: this.#delivery,
      events: this.#events,
      tracking: this.#tracking,
      settings: new Settings({
        server,
        events: this.#events,
        tracking: this.#tracking,
        slowLog,
        deniedLog,
        sessions: connections,
      }),
      stats,
      slowLog,
      deniedLog,
      users,
      monitors,
      server,
      clock,
      random,
    };
    const scripting: ScriptingOptions = {
      seam,
      delivery: this.#delivery,
      table: door.table,
      observer: {
        ran: (command) => {
          stats.ran(command);
          this.#tellFlush(command);
        },
        failed: (text, command) => stats.failed(text, command),
        refused: (text, command) => stats.refused(text, command),
        defect: options.onDefect,
      },
      log: options.onScriptLog,
    };
    this.rows = [
      ...memoryKeyCommands,
      ...debugKeyCommands,
      ...withScripting(scriptCommands, new Scripting(scripting)),
      ...withFunctions(functionCommands, new Functions(scripting)),
      ...withDoor(doorCommands, door),
    ];
  }

  /** Counts what runs; for the meter of the connections. */
  get stats(): Pick<CommandObserver['stats'], 'ran' | 'failed' | 'refused'> {
    return this.#observer.stats;
  }

  get gauges(): Omit<RedisGauges, 'blockedCount'> {
    const channels = this.#channels;
    return {
      channelCount: channels.nameCount('channel'),
      patternCount: channels.nameCount('pattern'),
      slowLogLength: this.#observer.slowLog.length,
    };
  }

  /** Clients that cache are told of what takes all keys as such. */
  #tellFlush(command: string): void {
    if (command === 'flushall' || command === 'flushdb') this.#tracking.flushed();
  }

  /** Has connections tell of what runs. */
  watch(hooks: CommandHooks): void {
    hooks.ended = this.#observer.ended;
    hooks.ran = (session, row, args) => {
      this.#observer.ran(session, row, args);
      // RESET ends what the session listens to, of which it does not know.
      if (row.name === 'reset') this.#channels.leaveAll(session);
      this.#tellFlush(row.name);
    };
    hooks.afterRow = this.#observer.afterRow;
    hooks.wantsEach = this.#observer.wantsEach;
    hooks.denied = (session, { reason, object }, context) =>
      this.#deniedLog.add(session, { reason, object, context, userName: session.userName });
    hooks.loginRefused = (session, userName, command) =>
      this.#deniedLog.loginRefused(session, userName, command);
    hooks.transactions = {
      begins: () => this.#delivery.transactionBegins(),
      failed: () => this.#delivery.transactionFailed(),
    };
    // Events are kept only while they are wanted.
    this.#events.onWanted((isWanted) => {
      hooks.events = isWanted
        ? (events, sequence, hasChanged) => this.#events.noted(events, sequence, hasChanged)
        : undefined;
    });
  }

  stop(): void {
    this.#delivery.stop();
    this.#events.stop();
    this.#tracking.stop();
  }
}
