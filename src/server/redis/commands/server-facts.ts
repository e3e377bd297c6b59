/** What commands tell of the server and ask of it, without knowing what it is made of. */
import type { Role } from '../../../cluster/cluster-view.ts';
import type { FsyncPolicy, StoreStatus } from '../../../api.ts';
import type { EngineName } from '../../../engine-names.ts';
import type { MemoryPolicy } from '../../../memory-policies.ts';
import type { StoreFigures } from '../../../store/figures.ts';

export interface ServerFacts {
  /** Of KelpDB. */
  readonly version: string;
  /** 40 hexadecimal digits, new with each start. */
  readonly runId: string;
  /** Of the Redis door; 0: it listens at a socket of the file system. */
  readonly port: number;
  readonly dataDir: string;
  /** By the wall clock. */
  readonly startedAtMs: number;
  readonly fsync: FsyncPolicy;
  readonly engine: EngineName;
  readonly valueBytesMax: number;
  readonly connectionsMax: number;
  readonly memoryBytesMax: number;
  /** Setting it throws `invalidArgument` for one that the engine does not allow. */
  memoryPolicy: MemoryPolicy;

  /** Whether the log has failed for good. */
  readonly hasFailed: boolean;
  status(): StoreStatus;
  figures(): StoreFigures;
  /** `undefined`: the server is alone. */
  readonly cluster: ClusterFacts | undefined;
  /** How many keys each database has, of those that have any. */
  keyCounts(): readonly DatabaseCount[];
  traffic(): DoorTraffic;
  /** When the newest snapshot was written, by the wall clock; 0: not since the start. */
  readonly lastSnapshotMs: number;
  /** Whether the last one that was begun could not be written. */
  readonly hasSnapshotFailed: boolean;
  snapshot(): Promise<unknown>;
  /** Begins to stop the server. */
  shutDown(): void;
  /** Users by name; empty while access is open. */
  userNames(): readonly string[];
}

/** What a node knows of its cluster. */
export interface ClusterFacts {
  readonly role: Role;
  /** Where clients of Redis reach the writer, `HOST:PORT`; '': it is not known now. */
  readonly writerAddress: string;
  /** 0 at a follower. */
  readonly followerCount: number;
}

export interface DatabaseCount {
  readonly database: number;
  readonly keyCount: number;
  /** Of those with a deadline. */
  readonly expiringCount: number;
  /** How long these have on the average. */
  readonly meanTtlMs: number;
}

/** Of the Redis door since the start. */
export interface DoorTraffic {
  readonly openedCount: number;
  readonly refusedCount: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}
