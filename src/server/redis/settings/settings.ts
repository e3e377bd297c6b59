/**
 * What CONFIG GET and CONFIG SET know: parameters of Redis that mean something here. Some can be set while the server runs, and hold
 * until it stops; the others tell what options of the server, or KelpDB itself, have decided, and to set one of these to what it
 * is anyway succeeds.
 */
import { fixed, serverFixed } from '../../../limits.ts';
import { faultOfMemoryPolicy, MEMORY_POLICIES } from '../../../memory-policies.ts';
import { DATABASE_COUNT } from '../../../types/databases/database-keys.ts';
import type { ServerFacts } from '../commands/server-facts.ts';
import type { ClientSessions } from '../commands/session-command.ts';
import { formatEventClasses, parseEventClasses } from '../keyspace/event-classes.ts';
import type { KeyspaceEvents } from '../keyspace/keyspace-events.ts';
import type { DeniedLog } from '../observed/denied-log.ts';
import type { SlowLog } from '../observed/slow-log.ts';
import { configSetFailed, syntaxError, unknownParameter } from '../replies/errors.ts';
import type { Tracking } from '../tracking/tracking.ts';
import { type Setting, told, wholeNumber } from './setting.ts';

export interface SettingsParts {
  readonly server: ServerFacts;
  readonly events: KeyspaceEvents;
  readonly tracking: Pick<Tracking, 'keysMax'>;
  readonly slowLog: SlowLog;
  readonly deniedLog: DeniedLog;
  readonly sessions: () => ClientSessions;
}

/** Redis has more of them: by when or how often a key was used, which is not kept, or of keys that are to stay. */
const POLICIES_OF_REDIS: readonly string[] = [
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'noeviction',
];
const FSYNC_NAMES = { always: 'always', interval: 'everysec', never: 'no' } as const;

export class Settings {
  readonly #byName: ReadonlyMap<string, Setting>;

  constructor(parts: SettingsParts) {
    this.#byName = new Map(settingsOf(parts).map((setting) => [setting.name, setting]));
  }

  get all(): Iterable<Setting> {
    return this.#byName.values();
  }

  /** Sets all or none. Throws a `ReplyError`. @param words parameters, each with its value behind it. */
  set(words: readonly string[]): void {
    if (words.length % 2 !== 0) throw syntaxError();
    const applyByName = new Map<string, () => void>();
    for (let index = 0; index < words.length; index += 2) {
      const [given = '', text = ''] = [words[index], words[index + 1]];
      const name = given.toLowerCase();
      const setting = this.#byName.get(name);
      if (setting === undefined) throw unknownParameter(given);
      if (applyByName.has(name)) throw configSetFailed(name, 'duplicate parameter');
      const parsed = setting.parse === undefined ? unlessSame(setting, text) : setting.parse(text);
      if (typeof parsed === 'string') throw configSetFailed(name, parsed);
      applyByName.set(name, parsed);
    }
    for (const apply of applyByName.values()) apply();
  }
}

function unlessSame({ read }: Setting, text: string): (() => void) | string {
  return text.toLowerCase() === read().toLowerCase() ? () => undefined : "can't set immutable config";
}

function settingsOf({ server, events, tracking, slowLog, deniedLog, sessions }: SettingsParts): Setting[] {
  const { redisPubsubUnsentBytesMax, redisSlowLogLengthMax, redisDeniedLogLengthMax } = serverFixed;
  return [
    told('port', () => server.port),
    told('dir', () => server.dataDir),
    told('databases', () => DATABASE_COUNT),
    told('maxclients', () => server.connectionsMax),
    wholeNumber(
      'timeout',
      { min: 0, max: 2 ** 31 - 1 },
      () => sessions().idleTimeoutSeconds,
      (seconds) => {
        sessions().idleTimeoutSeconds = seconds;
      },
    ),
    told('tcp-keepalive', () => serverFixed.tcpKeepAliveMs / 1000),
    told('maxmemory', () => server.memoryBytesMax),
    {
      name: 'maxmemory-policy',
      read: () => server.memoryPolicy,
      parse: (text) => {
        const name = text.toLowerCase();
        const policy = MEMORY_POLICIES.find((one) => one === name);
        if (policy !== undefined)
          return (
            faultOfMemoryPolicy(policy, server.engine) ??
            ((): void => {
              server.memoryPolicy = policy;
            })
          );
        return POLICIES_OF_REDIS.includes(name)
          ? `${name} is not here: which keys are used is not kept, and none goes that has no time to live; ${MEMORY_POLICIES.join(', ')} are`
          : `argument(s) must be one of the following: ${POLICIES_OF_REDIS.join(', ')}`;
      },
    },
    told('save', () => ''),
    told('appendonly', () => 'yes'),
    told('appendfsync', () => FSYNC_NAMES[server.fsync]),
    told('proto-max-bulk-len', () => server.valueBytesMax),
    told(
      'client-output-buffer-limit',
      () => `normal 0 0 0 slave 0 0 0 pubsub ${redisPubsubUnsentBytesMax} 0 0`,
    ),
    told('cluster-enabled', () => 'no'),
    told('io-threads', () => 1),
    told('latency-monitor-threshold', () => 0),
    told('latency-tracking', () => 'no'),
    told('aclfile', () => ''),
    // What Redis says of rights to channels where users have none: here there are none to single ones.
    told('acl-pubsub-default', () => 'allchannels'),
    wholeNumber(
      'acllog-max-len',
      { min: 0, max: redisDeniedLogLengthMax },
      () => deniedLog.lengthMax,
      (length) => {
        deniedLog.lengthMax = length;
      },
    ),
    {
      name: 'notify-keyspace-events',
      read: () => formatEventClasses(events.classes),
      parse: (text) => {
        const classes = parseEventClasses(text);
        if (classes === undefined) return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
        return () => {
          events.classes = classes;
        };
      },
    },
    wholeNumber(
      'tracking-table-max-keys',
      { min: 0, max: fixed.integerMax },
      () => tracking.keysMax,
      (count) => {
        tracking.keysMax = count;
      },
    ),
    wholeNumber(
      'slowlog-log-slower-than',
      { min: -1, max: fixed.integerMax },
      () => slowLog.slowerThanMicros,
      (micros) => {
        slowLog.slowerThanMicros = micros;
      },
    ),
    wholeNumber(
      'slowlog-max-len',
      { min: 0, max: redisSlowLogLengthMax },
      () => slowLog.lengthMax,
      (length) => {
        slowLog.lengthMax = length;
      },
    ),
  ];
}
