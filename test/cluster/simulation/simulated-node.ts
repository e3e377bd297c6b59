/**
 * One node of a simulated cluster: a machine with a disk, and a process that opens its node, again and again as it ends, as the server
 * does. What it shows is held against the truth.
 */
import { openNode, type OpenedNode } from '../../../src/cluster/open-node.ts';
import type { ClusterEvent } from '../../../src/cluster/cluster-event.ts';
import type { Peers, SentReport } from '../../../src/cluster/node.ts';
import { StreamSource } from '../../../src/cluster/late/stream-source.ts';
import { readSnapshotHeader } from '../../../gen/kelp/storage/v1/snapshot_codec.ts';
import { openSnapshotStream } from '../../../src/snapshot/reader.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import type { Limits } from '../../../src/limits.ts';
import type { SharedLog } from '../../../src/shared-log/shared-log.ts';
import { StoredLog } from '../../../src/shared-log/stored-log.ts';
import { SimulatedDisk } from '../../support/simulated-disk.ts';
import { checkChanges, checkState } from './checks.ts';
import { type LinkFaults, LogLink, NO_FAULTS } from './log-link.ts';
import { Process, type Skew } from './process.ts';
import type { World } from './world.ts';

export interface SimulatedNodeOptions {
  readonly name: string;
  readonly skew: Skew;
  readonly limits: Partial<Limits>;
  readonly failoverAfterMs?: number;
  readonly sharedLogBytesMax?: number;
  readonly faults?: LinkFaults;
  /** The test looks why a node does not open (`refusals`). */
  readonly mayRefuse?: boolean;
  /** For faults that are put in by hand. */
  readonly wrapLog?: (log: SharedLog) => SharedLog;
  readonly wrapNode?: (opened: OpenedNode) => OpenedNode;
}

const DATA_DIR = '/data';
/** Never reached: the default depends on the real machine. */
const MEMORY_BYTES_MAX = 2 ** 40;
/** What could not be opened is tried again after so long. */
const REOPEN_MS = 300;

export class SimulatedNode {
  readonly name: string;
  disk: SimulatedDisk;
  process: Process;
  /** While the store is open. */
  opened: OpenedNode | undefined;
  readonly events: ClusterEvent[] = [];
  faults: LinkFaults;
  /** Resolved when the process dies. */
  died: Promise<void> = Promise.resolve();
  /** How many processes there were. */
  lifeCount = 0;
  /** Why the node could not be opened, of each time. */
  readonly refusals: Error[] = [];
  isCut = false;
  readonly #world: World;
  readonly #options: SimulatedNodeOptions;
  readonly #peers: () => readonly SimulatedNode[];
  #link: LogLink | undefined;
  #die: () => void = () => undefined;
  #stopping: AbortController = new AbortController();
  /** What waits for a disk that hangs. */
  #hung: (() => void)[] | undefined;
  /** Of those that were ever written. */
  readonly #snapshotRevisions: number[] = [];

  constructor(world: World, options: SimulatedNodeOptions, peers: () => readonly SimulatedNode[]) {
    this.name = options.name;
    this.faults = options.faults ?? NO_FAULTS;
    this.#world = world;
    this.#options = options;
    this.#peers = peers;
    this.process = new Process(world.time, options.skew);
    this.process.kill();
    this.disk = this.#newDisk();
  }

  get address(): string {
    return `${this.name}:1`;
  }

  /** Of a process that runs. */
  get store(): KvStore | undefined {
    return this.process.isRunning ? this.opened?.store : undefined;
  }

  get isWriter(): boolean {
    return this.process.isRunning && this.opened?.node.role === 'writer';
  }

  get isUp(): boolean {
    return !this.process.isDead;
  }

  start(): void {
    if (this.isUp) return;
    this.lifeCount++;
    this.process = new Process(this.#world.time, this.#options.skew);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.died = promise;
    this.#die = resolve;
    this.#stopping = new AbortController();
    this.#note('starts');
    void this.#live(this.process, this.#stopping.signal);
  }

  /** Ends the process. */
  crash(kind: 'endProcess' | 'losePower'): void {
    if (!this.isUp) return;
    this.#note(kind);
    this.process.kill();
    this.#hung &&= [];
    this.#left();
    this.disk = this.disk[kind]();
    this.#die();
  }

  /** Calls to its disk do not end, and do nothing, until it no longer hangs. */
  hangDisk(isHung: boolean): void {
    if (isHung === (this.#hung !== undefined)) return;
    this.#note(isHung ? 'has a disk that hangs' : 'has a disk that answers again');
    const held = this.#hung ?? [];
    this.#hung = isHung ? [] : undefined;
    for (const action of held) this.process.schedule(action);
  }

  /** The machine gets another disk, which is empty. The process is not running. */
  loseDisk(): void {
    this.#note('has lost its disk');
    this.disk = this.#newDisk();
  }

  /**
   * A byte of a file changes by itself. The process is not running.
   * @param place in what was written to the file behind so many bytes: 0 to 1. Nothing changes where that is nothing.
   */
  damage(path: string, place: number, behind = 0): void {
    const bytes = this.disk.contentOf(path);
    const end = bytes.findLastIndex((byte) => byte !== 0);
    if (end < behind) return;
    const offset = behind + Math.floor((end - behind) * place);
    this.#note(`finds ${path} damaged at ${offset} of ${end}`);
    bytes[offset] = (bytes[offset] ?? 0) ^ 1;
    this.disk.setContent(path, bytes);
  }

  /** The files of its log and its snapshots that are in use. */
  get files(): { readonly log: string[]; readonly snapshots: string[] } {
    const pathsIn = (folder: string, ending: string): string[] =>
      this.disk
        .namesIn(folder)
        .filter((name) => name.endsWith(ending))
        .map((name) => `${folder}/${name}`);
    return {
      log: pathsIn(`${DATA_DIR}/log`, '.log'),
      snapshots: pathsIn(`${DATA_DIR}/snapshots`, '.snapshot'),
    };
  }

  pause(): void {
    this.#note('pauses');
    this.process.pause();
  }

  resume(): void {
    this.#note('goes on');
    this.process.resume();
  }

  cut(isCut: boolean): void {
    this.#note(isCut ? 'is cut off from the log' : 'reaches the log again');
    this.isCut = isCut;
    this.#link?.cut(isCut);
  }

  /** Its log takes no records, until its process ends. */
  fill(isFull: boolean): void {
    if (this.#link !== undefined) this.#link.isFull = isFull;
  }

  /** A clean stop: it is not up any more when this resolves. */
  async stop(): Promise<void> {
    const { opened, process } = this;
    this.#note('stops');
    this.#stopping.abort();
    if (opened !== undefined) {
      await opened.node.close();
      await opened.store.close({ snapshotMsMax: 0 });
    }
    if (process.isDead) return;
    process.kill();
    this.#left();
    // Its locks go with it.
    this.disk = this.disk.endProcess();
    this.#die();
  }

  /** The newest snapshot on its disk, as it lies there now. */
  get newestSnapshot(): Uint8Array | undefined {
    for (const revision of this.#snapshotRevisions.toReversed()) {
      const path = `${DATA_DIR}/snapshots/${String(revision).padStart(20, '0')}.snapshot`;
      try {
        return this.disk.contentOf(path);
      } catch {
        // It was removed, or went with the disk.
      }
    }
    return undefined;
  }

  report({ nonce, ...report }: SentReport): void {
    if (this.opened === undefined) throw new Error(`${this.name} is not open`);
    this.opened.node.takeReport(report, nonce);
  }

  #left(): void {
    this.opened = undefined;
    this.#link = undefined;
  }

  /** Opens the node and, when it has ended, opens it again. */
  async #live(process: Process, stopping: AbortSignal): Promise<void> {
    const isOver = (): boolean => process.isDead || stopping.aborted;
    while (!isOver()) {
      try {
        const opened = await this.#open(process, stopping);
        if (isOver()) return;
        this.opened = opened;
        this.#watch(opened, process);
        const why = await process.hear(opened.node.ended);
        if (isOver()) return;
        this.#note(`has ended: ${why.message}`);
        this.opened = undefined;
        await opened.node.close();
        await opened.store.close({ snapshotMsMax: 0 }).catch(() => undefined);
      } catch (error) {
        if (isOver()) return;
        this.#note(`could not open: ${(error as Error).message}`);
        this.#openFailed(error as Error);
        await process.hear(this.#world.time.sleep(REOPEN_MS));
      }
    }
  }

  /** Nothing but the log and the other nodes keeps a node from opening. */
  #openFailed(error: Error): void {
    this.refusals.push(error);
    const { code } = error as { readonly code?: string };
    if (code !== 'unavailable' && this.#options.mayRefuse !== true) this.#world.fail(error);
  }

  async #open(process: Process, stopping: AbortSignal): Promise<OpenedNode> {
    const { limits, failoverAfterMs, sharedLogBytesMax, wrapLog, wrapNode } = this.#options;
    const { clock } = process;
    const random = { bytes: (count: number) => this.#world.random.bytes(count) };
    const { time, system } = this.#world;
    const link = new LogLink(process, time, this.#world.random, system.open(), this.faults);
    link.cut(this.isCut);
    link.onHead = () => void system.headCount++;
    link.onTrim = (before) => void this.#trims(before);
    this.#link = link;
    const log: SharedLog = new StoredLog({ storage: link, clock, random });
    const opened = await openNode(
      {
        store: {
          dataDir: DATA_DIR,
          disk: this.disk,
          clock,
          random,
          limits,
          memoryBytesMax: MEMORY_BYTES_MAX,
          onEvent: (event) => {
            this.#note(`event ${event.kind}`);
            if (event.kind === 'snapshotWritten') this.#snapshotRevisions.push(event.revision);
          },
        },
        sharedLog: wrapLog?.(log) ?? log,
        peers: this.#peersOf(process),
        address: this.address,
        ...(failoverAfterMs === undefined ? {} : { failoverAfterMs }),
        ...(sharedLogBytesMax === undefined ? {} : { sharedLogBytesMax }),
        onEvent: (event) => this.#event(event),
      },
      stopping,
    );
    return wrapNode?.(opened) ?? opened;
  }

  #event(event: ClusterEvent): void {
    this.#note(
      `event ${JSON.stringify(event, (_, value: unknown) => (value instanceof Error ? value.message : value))}`,
    );
    this.events.push(event);
    if (event.kind === 'snapshotFetched') this.#snapshotRevisions.push(event.revision);
    if (event.kind === 'tookOver') this.#world.wins(event.epoch, `${this.name}, life ${this.lifeCount}`);
  }

  /** All that it shows from now on is what is true. */
  #watch({ store }: OpenedNode, process: Process): void {
    const { truth } = this.#world;
    const what = this.name;
    this.#world.checked(() => checkState(what, store, truth, store.seam.visibleRevision));
    let revision = store.seam.visibleRevision;
    store.seam.onVisible((next, changes) => {
      if (process.isDead) return;
      this.#world.checked(() => {
        if (next !== revision + 1) throw new Error(`${what} shows revision ${next} behind ${revision}`);
        revision = next;
        checkChanges(what, truth, next, changes);
      });
    });
  }

  /** What goes must lie in the snapshots of two nodes. */
  async #trims(before: number): Promise<void> {
    const snapshots = this.#peers().map((node) => node.newestSnapshot);
    const positions = await Promise.all(snapshots.map(positionOf));
    const count = positions.filter((position) => position >= before - 1).length;
    if (count < 2)
      this.#world.fail(
        `${this.name} trims before ${before}, and the snapshots cover up to ${positions.join(', ')}`,
      );
  }

  #peersOf(process: Process): Peers {
    const find = (address: string): SimulatedNode => {
      const found = this.#peers().find((node) => node.address === address);
      if (found?.process.isRunning !== true) throw new Error(`${address} does not answer`);
      return found;
    };
    return {
      snapshot: (address) => this.#snapshotOf(process, () => find(address)),
      report: async (address, report) => {
        await process.hear(this.#world.time.sleep(1));
        find(address).report(report);
      },
    };
  }

  async *#snapshotOf(process: Process, find: () => SimulatedNode): AsyncGenerator<Uint8Array> {
    await process.hear(this.#world.time.sleep(1));
    const { opened, process: other, died } = find();
    if (opened === undefined) throw new Error('it is not open');
    const broken = died.then(() => {
      throw new Error('it has died');
    });
    broken.catch(() => undefined);
    const pieces = opened.store.backup()[Symbol.asyncIterator]();
    for (;;) {
      const next = await process.hear(Promise.race([other.hear(pieces.next()), broken]));
      if (next.done === true) return;
      yield next.value;
    }
  }

  /** What a call of a process asks of the disk comes back to that process alone. */
  #newDisk(): SimulatedDisk {
    return new SimulatedDisk({
      seed: this.#world.random.uint32(),
      schedule: (action) => {
        if (this.#hung === undefined) this.process.schedule(action);
        else this.#hung.push(action);
      },
    });
  }

  #note(text: string): void {
    this.#world.note(() => `${this.name} ${text}`);
  }
}

/** Up to which position of the shared log a snapshot has its records. */
async function positionOf(snapshot: Uint8Array | undefined): Promise<number> {
  if (snapshot === undefined) return 0;
  const { header } = await openSnapshotStream('a snapshot', new StreamSource(piecesOf(snapshot)));
  const bytes = Buffer.from(header);
  return readSnapshotHeader(bytes, 0, bytes.length).place?.position ?? 0;
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
