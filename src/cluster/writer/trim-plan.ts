/**
 * What of the shared log may go. This is where data could be lost: what is trimmed lies in snapshots alone from then on. So the snapshots
 * of two nodes at least, on two disks, must hold it; where fewer than two have reported, nothing goes.
 *
 *   snapshots of a, b, c cover       up to 70, up to 50, up to 20
 *   two hold                         up to 50: the log is trimmed before 51
 *
 * A node that is further behind would have to fetch a snapshot. It is waited for, as long as there is room.
 */
import type { NodeReport } from '../node.ts';

/**
 * @param covering of nodes whose snapshots are certain. @param reports of all that are waited for.
 * @param isTight there is no room to wait for slow nodes.
 * @returns the first position that is to be kept; 1 or less: all are.
 */
export function keptFrom(
  covering: readonly NodeReport[],
  reports: readonly NodeReport[],
  isTight: boolean,
): number {
  const covered = covering.map(({ snapshotPosition }) => snapshotPosition).sort((a, b) => b - a);
  const byTwo = covered[1] ?? 0;
  const applied = Math.min(...reports.map(({ position }) => position));
  return Math.min(byTwo, isTight ? byTwo : applied) + 1;
}
