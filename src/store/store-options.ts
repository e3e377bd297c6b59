/** What `openStore` takes, as a type, and as a check for programs that have no types. */
import type { FsyncPolicy } from '../api.ts';
import {
  type Check,
  callback,
  flag,
  mustBe,
  oneOf,
  required,
  text,
  wholeNumber,
} from '../arguments/check.ts';
import { type Table, isRecord, optionsOf, shape } from '../arguments/shape.ts';
import type { Clock, Random } from '../clock.ts';
import type { Disk } from '../disk/disk.ts';
import type { Engine } from '../engine/engine.ts';
import type { EnginePlace } from '../engine/open-engine.ts';
import { ENGINE_NAMES, type EngineName } from '../engine-names.ts';
import { type Limits, defaults, fixed } from '../limits.ts';
import { MEMORY_POLICIES, type MemoryPolicy } from '../memory-policies.ts';
import type { KeyObserver } from './key-observer.ts';
import type { OperatorEvent } from './operator-event.ts';
import type { Replication } from './replication/replication.ts';
import type { LogObserver } from '../wal/commit/log-observer.ts';
import type { RecoveryProgress } from './recovery/recovery-context.ts';

export interface StoreOptions {
  /**
   * The folder that holds the store; made if it does not exist. `null`: there is none, and no file at all. Such a store can do
   * all that others can, history and watches included, and is gone when it is closed: for tests.
   */
  readonly dataDir: string | null;
  /**
   * What keeps the keys; default `memory`. With the others data may be larger than memory. A directory is of the engine that has made
   * it; another one takes a backup of it (`kelp restore --engine`).
   */
  readonly engine?: EngineName;
  /** When an acknowledged write is on disk; default `always`. */
  readonly fsync?: FsyncPolicy;
  /** Limits that differ from the defaults in `src/limits.ts`. */
  readonly limits?: Partial<Limits>;
  /**
   * The memory that keys, values, history, indexes and leases may take, in bytes: writes that need more are refused with
   * `limitReached`, also after the start of a store that is larger. Default: half of what the machine or container has.
   */
  readonly memoryBytesMax?: number;
  /**
   * What happens when that is full and there is no history left to give up. `noeviction`: writes are refused. `volatile-ttl`, `volatile-random`, with
   * the engine memory alone: keys that have a time to live are deleted before it is over, those nearest to its end first or any of
   * them, with the reason `evicted`; writes are refused once there are none. Default: `noeviction`.
   */
  readonly memoryPolicy?: MemoryPolicy;
  /**
   * With the engine memory: keeps values compressed, at `limits.compressionLevel`: those from 1 KiB on of which that saves 12 % or more. Reads see whole
   * values, and take some 12 µs longer for each that is compressed, as long as 16 for each that is written. Other engines refuse it: they compress in files, or nothing (`docs/engines.md`). Default: false.
   */
  readonly valueCompression?: boolean;
  /** Called now and then while a recovery runs. */
  readonly onRecoveryProgress?: (progress: RecoveryProgress) => void;
  /** Told what an operator may want to see in a log. */
  readonly onEvent?: (event: OperatorEvent) => void;
  /** Told of each write and flush of the log, for metrics and traces. */
  readonly observer?: LogObserver;
  /** @internal Told of each key that is read or changed. */
  readonly keyObserver?: KeyObserver;
  /** @internal The store is a node of a cluster: a follower, until its node has it write. */
  readonly replication?: Replication;
  /** For tests: what the store runs on. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly disk?: Disk;
  /** In place of the one that `engine` names. */
  readonly makeEngine?: (place: EnginePlace) => Engine | Promise<Engine>;
}

const zeroIsAllowed: ReadonlySet<string> = new Set<keyof Limits>([
  'logRetentionBytes',
  'logRetentionMs',
  'leasesMax',
  'watchersMax',
]);

const limitNames = Object.keys(defaults) as (keyof Limits)[];

const limits = shape<Partial<Limits>>({
  ...(Object.fromEntries(
    limitNames.map((name) => [name, wholeNumber(zeroIsAllowed.has(name) ? 0 : 1, fixed.integerMax)]),
  ) as Table<Partial<Limits>>),
  compressionLevel: wholeNumber(fixed.compressionLevelMin, fixed.compressionLevelMax),
});

const fsync = oneOf<FsyncPolicy>(['always', 'interval', 'never']);
const engine = oneOf<EngineName>(ENGINE_NAMES);

const path: Check<string | null> = (given) => {
  if (given === null) return undefined;
  return given === '' ? ' is empty; it must be a path, or null for a store in memory alone' : text(given);
};

/** A part that is injected; which methods it has is for types to say. */
function part<Part>(): Check<Part> {
  return (given) => (isRecord(given) ? undefined : mustBe(given, 'an object'));
}

/** The check of each option, for those that take more options than these. */
export const storeOptionsTable: Table<StoreOptions> = {
  dataDir: required(path),
  engine,
  fsync,
  limits,
  memoryBytesMax: wholeNumber(1, fixed.integerMax),
  memoryPolicy: oneOf<MemoryPolicy>(MEMORY_POLICIES),
  valueCompression: flag,
  onRecoveryProgress: callback(),
  onEvent: callback(),
  observer: part(),
  keyObserver: part(),
  replication: part(),
  clock: part(),
  random: part(),
  disk: part(),
  makeEngine: callback(),
};

/** What `openStore` and others that open a store say of options that are none. */
export const OPTIONS_EXAMPLE = "{ dataDir: './data' }";

/** A misspelt option must not be overlooked: it could be the one that makes writes durable. */
export const storeOptions = optionsOf<StoreOptions>('openStore', storeOptionsTable, OPTIONS_EXAMPLE);
