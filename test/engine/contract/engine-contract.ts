/** One suite for every implementation of the `Engine` contract. */
import { describe } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import type { EngineForm } from './forms.ts';
import { testCompaction } from './compaction.ts';
import { testDeadlines } from './deadlines.ts';
import { testOrder } from './order.ts';
import { testRandomSteps } from './random-steps.ts';
import { testReads } from './reads.ts';
import { testRows } from './rows.ts';
import { testScans } from './scans.ts';
import { testWalks } from './walks.ts';

export function testEngineContract(name: string, create: () => Engine, form: EngineForm = {}): void {
  describe(`${name} keeps the engine contract`, () => {
    testReads(create, form);
    testScans(create, form);
    testRows(create, form);
    testOrder(create, form);
    testDeadlines(create);
    testWalks(create, form);
    testCompaction(create, form);
    testRandomSteps(create, form);
  });
}
