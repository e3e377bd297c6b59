/**
 * Measures transactions in process: a small one with a compare, and a batch. The rate of the batch counts its puts, to
 * be read beside those of `store-put`.
 */
import type { Operation, Store, TxnRequest } from '../../src/index.ts';
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { randomKeys, Values } from '../load/data.ts';
import { ratesOf } from '../load/repeat.ts';
import { withFilledStore } from '../load/store.ts';
import { underWay } from '../load/under-way.ts';

const UNDER_WAY = 64;
const BATCH_PUTS = 100;

export const storeTxn: BenchCase = {
  async run(context) {
    const values = new Values();
    await withFilledStore(context, 'never', async (store) => {
      const small = await measure(
        context,
        store,
        operationCount(context, 50_000),
        2,
        ([read, written], index) => ({
          compares: [
            { subject: { key: read ?? '' }, relation: 'equal', operand: { kind: 'exists', value: true } },
          ],
          success: [
            { kind: 'get', key: read ?? '' },
            { kind: 'put', key: written ?? '', value: values.of(index) },
          ],
        }),
      );
      const smallName = `txn of a compare, a get and a put, ${UNDER_WAY} under way`;
      context.report({ name: smallName, unit: 'operations/s', samples: small });

      const batch = await measure(context, store, operationCount(context, 1000), BATCH_PUTS, (keys) => ({
        success: [...new Set(keys)].map((key, index): Operation => ({
          kind: 'put',
          key,
          value: values.of(index),
        })),
      }));
      const samples = batch.map((rate) => rate * BATCH_PUTS);
      context.report({
        name: `puts in txns of ${BATCH_PUTS}, ${UNDER_WAY} under way`,
        unit: 'operations/s',
        samples,
      });
    });
  },
};

function measure(
  context: CaseContext,
  store: Store,
  count: number,
  keysPerTxn: number,
  toRequest: (keys: readonly string[], index: number) => TxnRequest,
): Promise<number[]> {
  return ratesOf(context, {
    count,
    setUp: (repetition) => {
      const keys = randomKeys(count * keysPerTxn, context.keyCount, repetition);
      return Array.from({ length: count }, (_, index) =>
        toRequest(keys.slice(index * keysPerTxn, (index + 1) * keysPerTxn), index),
      );
    },
    run: (requests) => underWay(UNDER_WAY, count, (index) => store.txn(requests[index] ?? {})),
  });
}
