/** A place for one shared log, simulated or in a real etcd, and what happens to it behind the back of its users. */
import type { Clock, Random } from '../../src/clock.ts';
import { encodeHead } from '../../src/shared-log/head-format.ts';
import type { LogStorage } from '../../src/shared-log/log-storage.ts';
import type { LogHead, LogRecord, SharedLog } from '../../src/shared-log/shared-log.ts';
import { StoredLog } from '../../src/shared-log/stored-log.ts';
import { TroubledStorage } from '../support/troubled-storage.ts';

export interface LogWorld {
  readonly clock: Clock;
  readonly random: Random;
  /** Whether changes are lost on the way. */
  readonly losesChanges: boolean;
  /** That of one more process. */
  storage(): LogStorage;
  /** Deletes all. */
  wipe(): Promise<void>;
  /** `undefined`: deletes it. */
  putHead(head: Uint8Array | undefined): Promise<void>;
  removeRecord(position: number): Promise<void>;
  /** What changes are made of is dropped, as by etcd's compaction. */
  forget(): Promise<void>;
  /** Ends the processes. */
  close(): Promise<void>;
}

export interface LogNode {
  readonly log: SharedLog;
  readonly trouble: TroubledStorage;
}

export const storeId: Uint8Array = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

export function openNode(world: LogWorld, id?: Uint8Array): LogNode {
  const { clock, random } = world;
  const trouble = new TroubledStorage(world.storage());
  return { trouble, log: new StoredLog({ storage: trouble, clock, random, storeId: id }) };
}

/** A log with a writer, which has put so many batches: `batch 1` and so on. */
export async function writtenLog(world: LogWorld, count = 0): Promise<LogNode & { readonly head: LogHead }> {
  const node = openNode(world);
  const made = await node.log.init(storeId);
  if (made === 'exists') throw new Error('there is a log already');
  let head = won(await node.log.takeOver(made, 'first'));
  for (let index = 1; index <= count; index++) head = stored(await node.log.append(head, batch(index)));
  return { ...node, head };
}

export function won(result: LogHead | 'lost'): LogHead {
  if (result === 'lost') throw new Error('the race was lost');
  return result;
}

export function stored(result: LogHead | 'fenced'): LogHead {
  if (result === 'fenced') throw new Error('the writer was fenced');
  return result;
}

export function batch(name: number | string): Uint8Array {
  return Buffer.from(`batch ${name}`);
}

/** `1 taken by first`, `1 batch 2`: the epoch, and what it is. */
export function textOf(record: LogRecord): string {
  const what = record.kind === 'batch' ? Buffer.from(record.bytes).toString() : `taken by ${record.address}`;
  return `${record.epoch} ${what}`;
}

/** The records from a position to another one. */
export async function readTo(log: SharedLog, to: number, from = 1): Promise<string[]> {
  const end = new AbortController();
  const texts: string[] = [];
  try {
    for await (const record of log.read(from, end.signal)) {
      if (record.position !== from + texts.length)
        throw new Error(`position ${record.position} is out of order`);
      texts.push(textOf(record));
      if (record.position === to) return texts;
    }
    throw new Error('the log ended');
  } finally {
    end.abort();
  }
}

/** The same log as if only the head had been brought back from a copy. */
export async function setBack(world: LogWorld, head: LogHead): Promise<void> {
  await world.putHead(encodeHead(head));
}
