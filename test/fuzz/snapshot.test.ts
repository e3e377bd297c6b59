import { describe, expect } from 'vitest';
import {
  readSnapshotBlock,
  readSnapshotHeader,
  sizeOfSnapshotBlock,
  sizeOfSnapshotHeader,
  writeSnapshotBlock,
  writeSnapshotHeader,
} from '../../gen/kelp/storage/v1/snapshot_codec.ts';
import { verifyBackupFile } from '../../src/offline/backup-file.ts';
import { verifyDirectory } from '../../src/offline/verify/verify.ts';
import { sectionKind } from '../../src/snapshot/format.ts';
import { DATA_DIR, diskWith, type Files } from '../offline/small-stores.ts';
import type { SeededRandom } from '../support/random.ts';
import { fuzz } from './fuzz.ts';
import { mutateMessage } from './mutate-message.ts';
import { mutate } from './mutator.ts';
import { plainOf, putTogether, type SnapshotSection, takeApart, withPlain } from './sealed-snapshot.ts';
import { expectDamaged, openAndUse, richDirectory } from './store-inputs.ts';

const directories = await Promise.all([1, 2, 3].map(richDirectory));

describe('a snapshot', () => {
  fuzz('whose bytes were changed is read or refused as damaged', 40, (random) =>
    expectChangedReadOrRefused(random, (bytes, other) => mutate(bytes, other, random)),
  );

  fuzz('of random bytes is refused as damaged', 20, (random) =>
    expectChangedReadOrRefused(random, () => Buffer.from(random.bytes(random.below(3000)))),
  );

  fuzz('whose messages were changed under right checksums is read or refused as damaged', 40, (random) =>
    expectChangedReadOrRefused(random, (bytes, other) => {
      const [otherPlain = Buffer.alloc(0)] = takeApart(other).map(plainOf);
      return changeSection(bytes, random, (section) =>
        withPlain(section, mutate(plainOf(section), otherPlain, random)),
      );
    }),
  );

  fuzz(
    'whose messages say something else under right checksums is read or refused as damaged',
    80,
    (random) =>
      expectChangedReadOrRefused(random, (bytes) =>
        changeSection(bytes, random, (section) => withPlain(section, mutatePlain(section, random))),
      ),
  );

  fuzz(
    'whose sections say something else under right checksums is read or refused as damaged',
    40,
    (random) =>
      expectChangedReadOrRefused(random, (bytes) =>
        changeSection(bytes, random, (section) => {
          const { kind, plainBytes, itemCount } = section;
          const numbers = mutateMessage({ kind, plainBytes, itemCount }, () => true, random);
          return { ...section, ...numbers };
        }),
      ),
  );

  fuzz(
    'whose compressed bytes were changed under right checksums is read or refused as damaged',
    40,
    (random) =>
      expectChangedReadOrRefused(random, (bytes) =>
        changeSection(bytes, random, (section) => ({
          ...section,
          stored: mutate(section.stored, section.stored, random),
        })),
      ),
  );
});

/** Tries one of the snapshots of a data directory, and, since a backup is the same, a backup. */
async function expectChangedReadOrRefused(
  random: SeededRandom,
  change: (bytes: Uint8Array, other: Uint8Array) => Uint8Array,
): Promise<void> {
  const files = random.pick(directories);
  const others = [...random.pick(directories)].filter(([path]) => path.endsWith('.snapshot'));
  const [path, bytes] = random.pick([...files].filter(([path]) => path.endsWith('.snapshot')));
  const changed = new Map([...files, [path, change(bytes, random.pick(others)[1])]]);

  // A snapshot that can't be read is done without while the log reaches back, and then only.
  await openAndUse(await diskWith(random.chance(0.5) ? changed : withoutOldLog(changed)));
  await verifyDirectory(DATA_DIR, () => undefined, await diskWith(changed));
  await expectBackupReadOrRefused(changed, path);
}

async function expectBackupReadOrRefused(files: Files, path: string): Promise<void> {
  try {
    await verifyBackupFile(path, () => undefined, await diskWith(files));
  } catch (error) {
    expectDamaged(error);
    expect((error as Error).message, 'names the file').toContain(path);
  }
}

/** Without the first segment the store needs a snapshot. */
function withoutOldLog(files: Files): Files {
  const [oldest] = [...files.keys()].filter((path) => path.endsWith('.log')).sort();
  return new Map([...files].filter(([path]) => path !== oldest));
}

function changeSection(
  bytes: Uint8Array,
  random: SeededRandom,
  change: (section: SnapshotSection) => SnapshotSection,
): Buffer {
  const sections = takeApart(bytes);
  const at = random.below(sections.length);
  return putTogether(sections.map((section, index) => (index === at ? change(section) : section)));
}

function mutatePlain(section: SnapshotSection, random: SeededRandom): Buffer {
  const plain = plainOf(section);
  const isNarrow = (field: string): boolean => field === 'formatVersion' || field === 'kind';
  if (section.kind === sectionKind.block) {
    const block = mutateMessage(readSnapshotBlock(plain, 0, plain.length), isNarrow, random);
    if (random.chance(0.9)) section.itemCount = block.leases.length + block.versions.length;
    const bytes = Buffer.alloc(sizeOfSnapshotBlock(block));
    writeSnapshotBlock(block, bytes, 0);
    return bytes;
  }
  const header = mutateMessage(readSnapshotHeader(plain, 0, plain.length), isNarrow, random);
  const bytes = Buffer.alloc(sizeOfSnapshotHeader(header));
  writeSnapshotHeader(header, bytes, 0);
  return bytes;
}
