/** One suite for every implementation of the `Store` contract. */
import { describe } from 'vitest';
import { testCompaction } from './contract/compaction.ts';
import { testDeleteInParts } from './contract/delete-in-parts.ts';
import { testKeys } from './contract/keys.ts';
import { testLeases } from './contract/leases.ts';
import { testLifecycle } from './contract/lifecycle.ts';
import { testPatterns } from './contract/patterns.ts';
import { testScans } from './contract/scans.ts';
import { testTimeToLive } from './contract/time-to-live.ts';
import { testCompares } from './contract/txn-compares.ts';
import { testTxnOperations } from './contract/txn-operations.ts';
import { testTxnWrites } from './contract/txn-writes.ts';
import { testWatch } from './contract/watch.ts';
import { testWatchCurrent } from './contract/watch-current.ts';
import { testWrites } from './contract/writes.ts';
import type { OpenHarness } from './store-harness.ts';

/** @param isOnDisk the engine keeps its state on disk. */
export function testStoreContract(name: string, open: OpenHarness, isOnDisk = false): void {
  describe(`${name} keeps the store contract`, () => {
    describe('keys and ranges', () => testKeys(open));
    describe('writes of one key', () => testWrites(open));
    describe('scans', () => testScans(open));
    describe('patterns', () => testPatterns(open));
    describe('transactions: compares', () => testCompares(open));
    describe('transactions: operations', () => testTxnOperations(open));
    describe('transactions: several writes of a key', () => testTxnWrites(open));
    describe('deleting a range', () => testDeleteInParts(open));
    describe('time to live', () => testTimeToLive(open));
    describe('leases', () => testLeases(open));
    describe('history and compaction', () => testCompaction(open, isOnDisk));
    describe('watch', () => testWatch(open));
    describe('watch with the present entries', () => testWatchCurrent(open));
    describe('open, close and status', () => testLifecycle(open, isOnDisk));
  });
}
