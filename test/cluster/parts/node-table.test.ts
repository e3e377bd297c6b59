/** Which reports a writer counts on. */
import { expect, it } from 'vitest';
import { NodeTable } from '../../../src/cluster/writer/node-table.ts';
import { cluster as limits } from '../../../src/limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const report = (address: string) => ({ address, position: 9, snapshotPosition: 7 });
const addresses = (reports: readonly { readonly address: string }[]): string[] =>
  reports.map(({ address }) => address);

it('a node is waited for while it was heard of of late, and covers while its report is fresh', () => {
  const clock = new ManualClock();
  const table = new NodeTable(clock);
  table.take(report('a'));
  clock.advance(limits.newcomerMs);
  table.take(report('a'));
  expect(addresses(table.covering)).toEqual(['a']);
  clock.advance(limits.coverageMs);
  expect(addresses(table.covering)).toEqual([]);
  expect(addresses(table.live)).toEqual(['a']);
  clock.advance(limits.reportSilenceMs);
  expect(addresses(table.live)).toEqual([]);
  expect(addresses(table.silent)).toEqual(['a']);
});

it('none covers when a new address has just reported, since its disk may be that of one that is gone', () => {
  const clock = new ManualClock();
  const table = new NodeTable(clock);
  table.take(report('a'));
  clock.advance(limits.newcomerMs);
  table.take(report('a'));
  // The same directory, begun anew.
  table.take(report('b'));
  expect(addresses(table.covering)).toEqual([]);
  for (let passedMs = 0; passedMs < limits.newcomerMs; passedMs += limits.reportMs) {
    clock.advance(limits.reportMs);
    table.take(report('b'));
    expect(addresses(table.covering)).not.toContain('a');
  }
  expect(addresses(table.covering)).toEqual(['b']);
});
