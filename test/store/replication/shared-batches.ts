/** A log that the nodes of a test share: batches in memory, which are there at once and stay. */
import { crc32 } from '../../../src/wire/crc32.ts';
import { OvertakenError } from '../../../src/wal/segments/overtaken.ts';

export interface SharedBatch {
  readonly position: number;
  readonly epoch: number;
  readonly checksum: number;
  readonly writerAddress: string;
  /** Records with their prefixes. */
  readonly payload: Buffer;
}

export class SharedBatches {
  /** That of position 1 first. */
  readonly batches: SharedBatch[] = [];
  epoch = 0;
  writerAddress = '';

  get head(): number {
    return this.batches.length;
  }

  /** @returns the epoch of the writer that begins. */
  takeOver(writerAddress: string): number {
    this.epoch++;
    this.writerAddress = writerAddress;
    return this.epoch;
  }

  /** @throws OvertakenError when another epoch has begun. */
  append(epoch: number, payload: Buffer): SharedBatch {
    if (epoch !== this.epoch) throw new OvertakenError(this.writerAddress);
    const { writerAddress } = this;
    const batch = { position: this.head + 1, epoch, checksum: crc32(payload), writerAddress, payload };
    this.batches.push(batch);
    return batch;
  }

  /** Behind a position. */
  after(position: number): readonly SharedBatch[] {
    return this.batches.slice(position);
  }
}
