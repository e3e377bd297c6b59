/** What the figures were measured on, since they mean nothing without it. */
import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly coreCount: number;
  readonly memoryGiB: number;
  readonly operatingSystem: string;
  readonly node: string;
  /** Of the folder for temporary files, where the data lies. */
  readonly fileSystem: string;
  /** Programs that waited for a core on average over the last minute before the bench began. */
  readonly loadAverage: number;
}

/** By the magic number that `statfs` gives (linux/magic.h). */
const fileSystemByMagic = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
]);

export async function describeMachine(): Promise<Machine> {
  const { type } = await statfs(tmpdir());
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    coreCount: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    operatingSystem: `${process.platform} ${release()}`,
    node: process.version,
    fileSystem: fileSystemByMagic.get(type) ?? `0x${type.toString(16)}`,
    loadAverage: currentLoadAverage(),
  };
}

/** Over the last minute. */
export function currentLoadAverage(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}
