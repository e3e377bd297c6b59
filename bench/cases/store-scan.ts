/**
 * Reads a whole store page by page; a rate counts entries. The difference between the rows with values and without is
 * what copying values costs.
 */
import type { BenchCase } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { ratesOf } from '../load/repeat.ts';
import { withFilledStore } from '../load/store.ts';

const PAGE_ENTRIES = 10_000;
const VARIANTS = [
  { keysOnly: false, reverse: false, name: 'scan in key order, with values' },
  { keysOnly: true, reverse: false, name: 'scan in key order, keys only' },
  { keysOnly: true, reverse: true, name: 'scan against key order, keys only' },
];

export const storeScan: BenchCase = {
  async run(context) {
    const { keyCount } = context;
    await withFilledStore(context, 'never', async (store) => {
      // A few keys are scanned many times over, since one time is too short to be measured.
      const scanCount = Math.ceil(operationCount(context, 500_000) / keyCount);
      for (const { name, ...options } of VARIANTS) {
        const samples = await ratesOf(context, {
          count: scanCount * keyCount,
          setUp: () => undefined,
          run: async () => {
            for (let scan = 0; scan < scanCount; scan++) {
              let entryCount = 0;
              let pageToken = '';
              do {
                const page = await store.scan({}, { ...options, limit: PAGE_ENTRIES, pageToken });
                entryCount += page.entries.length;
                pageToken = page.nextPageToken;
              } while (pageToken !== '');
              if (entryCount !== keyCount) throw new Error(`${entryCount} entries of ${keyCount} came`);
            }
          },
        });
        context.report({ name, unit: 'entries/s', samples });
      }
    });
  },
};
