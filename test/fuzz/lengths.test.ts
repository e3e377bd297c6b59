/** A length that is declared takes no memory before the bytes are known to be there. */
import { describe, expect, test } from 'vitest';
import { isStoreError } from '../../src/errors.ts';
import { verifyBackupFile } from '../../src/offline/backup-file.ts';
import { openSnapshotFile } from '../../src/snapshot/reader.ts';
import { MAGIC, SECTION_HEAD_BYTES, encodeSectionHead, sectionKind } from '../../src/snapshot/format.ts';
import { openStore } from '../../src/kv/open-store.ts';
import { PIECE_BYTES } from '../../src/wal/frames/frame-cursor.ts';
import { frameSeed } from '../../src/wal/segments/segment-header.ts';
import { FRAME_HEADER_BYTES } from '../../src/wire/frame.ts';
import { crc32 } from '../../src/wire/crc32.ts';
import { contentOf, DATA_DIR, diskWith, longLog, segmentPath } from '../offline/small-stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { CountingDisk } from './counting-disk.ts';
import { takeApart } from './sealed-log.ts';

/** From a little more than there is to the most that the field holds. */
const LENGTHS = [10_000, 2 ** 20, 2 ** 28, 2 ** 28 + 1, 2 ** 31, 2 ** 32 - 1];
/** A file is read in pieces, and a head is read with the piece before it. */
const READ_BYTES_MAX = PIECE_BYTES + 1024;

const BACKUP = `${DATA_DIR}/backup`;

describe.each(LENGTHS)('a declared length of %i bytes', (declaredBytes) => {
  test('of a frame with a right checksum is refused before room is made', async () => {
    const files = await longLog();
    const path = segmentPath(1);
    const bytes = Buffer.from(contentOf(files, path));
    const { frames, header } = takeApart(path, bytes);
    const [frame] = frames;
    if (frame === undefined) throw new Error('there is a frame');
    declare(bytes, frame.offset, declaredBytes, frameSeed(header.storeId));
    const disk = new CountingDisk(await diskWith(new Map([...files, [path, bytes]])));

    const opening = openStore({ dataDir: DATA_DIR, disk, clock: new ManualClock() });

    await expect(opening).rejects.toSatisfy((error) => isStoreError(error, 'damaged'));
    expect(disk.longestReadBytes).toBeLessThanOrEqual(READ_BYTES_MAX);
  });

  test.each(['storedBytes', 'plainBytes'] as const)(
    'in the field %s of a section is refused before room is made',
    async (field) => {
      const payload = Buffer.from('header');
      const head = encodeSectionHead({
        kind: sectionKind.header,
        storedBytes: payload.length,
        plainBytes: payload.length,
        itemCount: 0,
        payloadChecksum: crc32(payload),
        [field]: declaredBytes,
      });
      const disk = new CountingDisk(
        await diskWith(new Map([[BACKUP, Buffer.concat([MAGIC, head, payload])]])),
      );

      await expect(openSnapshotFile(disk, BACKUP)).rejects.toSatisfy((error) =>
        isStoreError(error, 'damaged'),
      );
      await expect(verifyBackupFile(BACKUP, () => undefined, disk)).rejects.toSatisfy((error) =>
        isStoreError(error, 'damaged'),
      );
      expect(disk.longestReadBytes).toBeLessThanOrEqual(MAGIC.length + SECTION_HEAD_BYTES + payload.length);
    },
  );
});

/** Changes the length in the header of a frame, and makes the header's checksum right again. */
function declare(bytes: Buffer, offset: number, payloadBytes: number, seed: number): void {
  bytes.writeUInt32LE(payloadBytes, offset + 4);
  bytes.writeUInt32LE(crc32(bytes.subarray(offset + 4, offset + FRAME_HEADER_BYTES), seed), offset);
}
