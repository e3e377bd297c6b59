/** How readers of other threads learn which pages there are. */
import type { MessagePort } from 'node:worker_threads';
import { MessageChannel } from 'node:worker_threads';
import type { Epochs } from './epochs.ts';
import type { HashSeed } from './key-hash.ts';
import { SHARD_COUNT_MAX } from './layout.ts';
import type { NoticePage, PageTable } from './page-table.ts';

const tableKinds = ['slots', 'index', 'versions'] as const;

export type TableKind = (typeof tableKinds)[number];

/** The number of a shard's table; 0 is none. */
export function tableNumber(shard: number, kind: TableKind): number {
  return 1 + shard * tableKinds.length + tableKinds.indexOf(kind);
}

/** One more than the highest number of a table. */
export const TABLE_NUMBER_END = 1 + SHARD_COUNT_MAX * tableKinds.length;

/** What a reader is told: a table has a page under a number, or (without a buffer) no longer. */
export interface PageNotice {
  readonly table: number;
  readonly index: number;
  readonly buffer: SharedArrayBuffer | undefined;
}

/** All that a `MemoryReader` needs. It can be sent to another thread; `port` must be in the transfer list. */
export interface ReaderAttachment {
  /** Names the reader to `detachReader`. */
  readonly seat: number;
  readonly control: SharedArrayBuffer;
  /** By shard: how many bits of the hash choose the entry of the directory. */
  readonly depths: SharedArrayBuffer;
  readonly shardCount: number;
  readonly hashSeed: HashSeed;
  /** How many notices went out before the first that comes through `port`. */
  readonly noticeCount: number;
  readonly port: MessagePort;
}

/** The writer's ends of all links. */
export class ReaderLinks {
  readonly #epochs: Epochs;
  readonly #depthBuffer = new SharedArrayBuffer(4 * SHARD_COUNT_MAX);
  readonly #depths = new Uint32Array(this.#depthBuffer);
  readonly #portBySeat = new Map<number, MessagePort>();
  #noticeCount = 0;

  constructor(epochs: Epochs) {
    this.#epochs = epochs;
  }

  /** Sends a notice to all readers: before anything points into a new page, and after nothing does into an old one. */
  readonly notice: NoticePage = (table, index, buffer) => {
    if (this.#portBySeat.size === 0) return;
    for (const port of this.#portBySeat.values()) send(port, table, index, buffer);
    this.#noticeCount++;
    this.#epochs.publishNoticeCount(this.#noticeCount);
  };

  publishDepth(shard: number, depth: number): void {
    Atomics.store(this.#depths, shard, depth);
  }

  attach(hashSeed: HashSeed, shardCount: number, tables: readonly PageTable[]): ReaderAttachment {
    const { port1, port2 } = new MessageChannel();
    port1.unref();
    const seat = this.#epochs.takeSeat();
    const noticeCount = this.#noticeCount;
    for (const table of tables) {
      table.announceTo((number, index, buffer) => {
        send(port1, number, index, buffer);
        this.#noticeCount++;
      });
    }
    this.#portBySeat.set(seat, port1);
    // Readers that came before have nothing to fetch for these; they look, and find nothing.
    this.#epochs.publishNoticeCount(this.#noticeCount);
    return {
      seat,
      control: this.#epochs.control,
      depths: this.#depthBuffer,
      shardCount,
      hashSeed,
      noticeCount,
      port: port2,
    };
  }

  detach(seat: number): void {
    this.#portBySeat.get(seat)?.close();
    this.#portBySeat.delete(seat);
    this.#epochs.leaveSeat(seat);
  }
}

function send(port: MessagePort, table: number, index: number, buffer: SharedArrayBuffer | undefined): void {
  const notice: PageNotice = { table, index, buffer };
  port.postMessage(notice);
}
