/** What of the shared log may go. */
import { describe, expect, it } from 'vitest';
import type { NodeReport } from '../../../src/cluster/node.ts';
import { keptFrom } from '../../../src/cluster/writer/trim-plan.ts';

function reports(...nodes: [position: number, snapshotPosition: number][]): NodeReport[] {
  return nodes.map(([position, snapshotPosition], index) => ({
    address: `node ${index}`,
    position,
    snapshotPosition,
  }));
}

/** Where all that have reported are certain. */
function kept(all: NodeReport[], isTight: boolean): number {
  return keptFrom(all, all, isTight);
}

describe('the shared log is kept', () => {
  it('from behind what the snapshots of two nodes hold', () => {
    expect(kept(reports([90, 70], [90, 50], [90, 20]), false)).toBe(51);
    expect(kept(reports([90, 70], [90, 50]), false)).toBe(51);
    expect(kept(reports([90, 50], [90, 50], [90, 50]), false)).toBe(51);
  });

  it('whole, while fewer than two nodes have a snapshot', () => {
    expect(kept(reports([90, 70], [90, 0], [90, 0]), false)).toBe(1);
    expect(kept(reports([90, 70]), false)).toBe(1);
    expect(kept(reports([90, 70]), true)).toBe(1);
  });

  it('whole, while a second snapshot is not certain to be there', () => {
    const all = reports([90, 70], [90, 50]);
    expect(keptFrom(all.slice(0, 1), all, false)).toBe(1);
    expect(keptFrom(all.slice(0, 1), all, true)).toBe(1);
  });

  it('for a node that is further behind, as long as there is room', () => {
    const slow = reports([90, 70], [90, 60], [30, 20]);
    expect(kept(slow, false)).toBe(31);
    expect(kept(slow, true)).toBe(61);
  });
});
