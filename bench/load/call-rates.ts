/** The same calls, one after the other and many at once, on a KelpDB server and on its peers. */
import type { CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { randomKeys, Values } from './data.ts';
import { ratesOf } from './repeat.ts';
import { underWay } from './under-way.ts';

/** Where the calls go. Requests are made before the clock runs. */
export interface CallTarget<Request> {
  /** Stands before the names of the figures. */
  readonly name: string;
  get(key: string): Request;
  put(key: string, value: Uint8Array): Request;
  call(request: Request, kind: 'get' | 'put'): Promise<unknown>;
}

const LOADS = [
  { concurrency: 1, getCount: 1000, putCount: 1000 },
  { concurrency: 64, getCount: 4000, putCount: 3000 },
  { concurrency: 256, getCount: 4000, putCount: 3000 },
];

export async function measureCalls<Request>(
  context: CaseContext,
  target: CallTarget<Request>,
): Promise<void> {
  const values = new Values();
  for (const { concurrency, ...counts } of LOADS) {
    for (const kind of ['get', 'put'] as const) {
      const count = operationCount(context, kind === 'get' ? counts.getCount : counts.putCount);
      const toRequest = (key: string, index: number): Request =>
        kind === 'get' ? target.get(key) : target.put(key, values.of(index));
      const samples = await ratesOf(context, {
        count,
        setUp: (repetition) => randomKeys(count, context.keyCount, repetition).map(toRequest),
        run: (requests) =>
          underWay(concurrency, count, (index) => target.call(requests[index] as Request, kind)),
      });
      const name = `${target.name}: ${kind}, ${concurrency} under way`;
      context.report({ name, unit: 'operations/s', samples });
    }
  }
}
