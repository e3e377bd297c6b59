/** A thread that runs seeds, and tells how many writes were acknowledged. */
import { parentPort, workerData } from 'node:worker_threads';
import { runSeed } from './run.ts';

export interface Seeds {
  readonly first: number;
  readonly count: number;
}

const { first, count } = workerData as Seeds;
let ackedCount = 0;
for (let seed = first; seed < first + count; seed++) ackedCount += (await runSeed({ seed })).ackedCount;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- it is a thread's, not a window's
parentPort?.postMessage(ackedCount);
