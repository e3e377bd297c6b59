/**
 * Measures a get over REST beside Node's bare `http` server that answers by the same bytes always: HTTP/1.1 with connections that are kept,
 * by `h2load`, in turns. What counts is the processor time of the server, and the ratio of the two, which means something on a busy machine
 * too. Over HTTP/2 as well, where the bare server speaks HTTP/1.1 all the same.
 */
import type { BenchCase, CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { keyOf, VALUE_BYTES } from '../load/data.ts';
import { runH2load } from '../load/h2load.ts';
import { startKelp } from '../load/kelp-server.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';
import { fillServed, servedDirectory } from '../load/served-data.ts';
import { startBareHttp } from '../peers/bare-http.ts';

const REQUEST_COUNT = 60_000;
/** Processor time is told in steps of 10 ms; a quick try may take less. */
const CPU_SECONDS_MIN = 0.01;

interface Load {
  readonly name: string;
  readonly url: string;
  readonly processId: number;
  readonly args: readonly string[];
}

const http1 = ['--h1', '--clients=32'];
const http2 = ['--clients=8', '--max-concurrent-streams=32'];

export const servedRest: BenchCase = {
  prepare: fillServed,

  async run(context) {
    const bare = await startBareHttp(context, VALUE_BYTES);
    const kelp = await startKelp(context, servedDirectory(context), 'always');
    try {
      const url = `http://${kelp.ready}/v1/keys/${keyOf(0)}`;
      await checkReply(url);
      const { processId } = kelp;
      await measure(context, [
        { name: 'bare http', url: `http://${bare.ready}/`, processId: bare.processId, args: http1 },
        { name: 'REST get, HTTP/1.1', url, processId, args: http1 },
        { name: 'REST get, HTTP/2', url, processId, args: http2 },
      ]);
    } finally {
      await kelp.stop();
      await bare.stop();
    }
  },
};

/** The load looks at no reply, so one is looked at here. */
async function checkReply(url: string): Promise<void> {
  const { byteLength } = await (await fetch(url)).arrayBuffer();
  if (byteLength !== VALUE_BYTES) throw new Error(`the server gave a value of ${byteLength} bytes`);
}

/** Reports what each load costs, and what each is to the first. */
async function measure(context: CaseContext, loads: readonly Load[]): Promise<void> {
  const samples = loads.map((): number[] => []);
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    for (const [index, load] of loads.entries()) {
      const rate = await rateOf(context, load);
      if (rate === undefined) return context.reportMissing('h2load is not installed');
      if (repetition > 0) samples[index]?.push(rate);
    }
  }
  const [first = []] = samples;
  for (const [index, { name }] of loads.entries()) {
    const rates = samples[index] ?? [];
    context.report({ name: `${name}, by the server's processor time`, unit: 'operations/s', samples: rates });
    if (index === 0) continue;
    const ratios = rates.map((rate, at) => rate / (first[at] ?? Number.NaN));
    context.report({ name: `${name}, to the bare server`, unit: 'ratio', samples: ratios });
  }
}

async function rateOf(context: CaseContext, { url, processId, args }: Load): Promise<number | undefined> {
  const count = operationCount(context, REQUEST_COUNT);
  const before = await cpuSecondsOf(processId);
  const rate = await runH2load([`--requests=${count}`, ...args, url]);
  if (rate === undefined) return undefined;
  return count / Math.max(CPU_SECONDS_MIN, (await cpuSecondsOf(processId)) - before);
}
