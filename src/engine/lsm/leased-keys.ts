/** The keys that have a lease, run by run, in key order within each. */
import { RecordReader } from '../runs/block/record-codec.ts';
import { blockKind } from '../runs/format.ts';
import type { RunView } from './run-view.ts';

export function* leasedKeys(view: RunView): Generator<readonly [leaseId: number, key: Uint8Array]> {
  const reader = new RecordReader();
  for (const run of view.runs) {
    for (const { offset, bytes: byteCount } of run.leaseBlocks) {
      const block = run.file.readBlock(offset, byteCount, blockKind.leases);
      const { bytes } = block.memory;
      for (let index = 0; index < block.count; index++) {
        reader.position = block.recordAt(index);
        const keyBytes = reader.number(bytes);
        const keyStart = reader.position;
        reader.position = keyStart + keyBytes;
        const leaseId = reader.number(bytes);
        const key = bytes.slice(keyStart, keyStart + keyBytes);
        if (view.isNewestIn(run, key)) yield [leaseId, key];
      }
    }
  }
}
