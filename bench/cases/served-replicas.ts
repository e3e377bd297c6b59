/**
 * Measures reads of more than one process: gets of a server alone, and of it and one or two that follow it (`--follow`) at the same time,
 * each with an `h2load` of its own, by turns. A follower is asked for what it has (`CONSISTENCY_LOCAL`); and one of them for the newest,
 * where many gets share a question to its server.
 *
 * The clock tells what this machine does, whose cores the load takes, too, and whatever else runs: how many cores the servers had says
 * how far it was that which they lacked. What each did in a second of its own processor time, all added up, is what servers with a core
 * for each would do.
 */
import { type BenchCase, type CaseContext, operationCount } from '../bench-case.ts';
import { keyOf } from '../load/data.ts';
import type { ChildServer } from '../load/child-server.ts';
import { type H2Request, sendByH2load } from '../load/h2load.ts';
import { startKelp } from '../load/kelp-server.ts';
import { GET_PATH, getRequest, localGetRequest } from '../load/kelp-requests.ts';
import { cpuSecondsOf } from '../load/process-figures.ts';
import { fillServed, servedDirectory } from '../load/served-data.ts';

const FOLLOWERS = 2;
const FIRST_COUNT = 10_000;
const TURN_SECONDS = 2;
/** Processor time is told in such steps. */
const CPU_SECONDS_MIN = 0.01;

interface Load {
  readonly server: ChildServer;
  readonly request: H2Request;
}

interface Setup {
  readonly name: string;
  readonly loads: readonly Load[];
}

interface Turn {
  /** Of all together. */
  readonly perSecond: number;
  /** What each did in a second of its processor time, added up. */
  readonly perCpuSecond: number;
  /** Processor time of the servers in a second. */
  readonly cores: number;
}

export const servedReplicas: BenchCase = {
  prepare: fillServed,

  async run(context) {
    const running: ChildServer[] = [];
    try {
      const first = await startKelp(context, servedDirectory(context), 'never');
      running.push(first);
      for (let index = 1; index <= FOLLOWERS; index++) {
        const options = [`--follow=${first.ready}`];
        const directory = `${context.directory}/follower-${index}`;
        running.push(await startKelp(context, directory, undefined, { options }));
      }
      if (!(await measureByTurns(context, setupsOf(context, running))))
        context.reportMissing('h2load is not installed');
    } finally {
      for (const server of running.reverse()) await server.stop();
    }
  },
};

function setupsOf(context: CaseContext, [first, ...followers]: readonly ChildServer[]): readonly Setup[] {
  const key = keyOf(Math.floor(context.keyCount / 2));
  const local = { name: 'get', path: GET_PATH, message: localGetRequest(key) };
  const newest = { name: 'get', path: GET_PATH, message: getRequest(key) };
  const [follower] = followers;
  if (first === undefined || follower === undefined)
    throw new Error('there is a server and one that follows it');
  const alone: Load = { server: first, request: local };
  return [
    { name: 'one server', loads: [alone] },
    ...followers.map((_, index) => ({
      name: `it and ${index + 1} that follow it`,
      loads: [alone, ...followers.slice(0, index + 1).map((server) => ({ server, request: local }))],
    })),
    { name: 'it and 1, asked for the newest', loads: [alone, { server: follower, request: newest }] },
  ];
}

/** @returns whether `h2load` is installed. */
async function measureByTurns(context: CaseContext, setups: readonly Setup[]): Promise<boolean> {
  const counts = new Map<Load, number>();
  const turns = new Map<Setup, Turn[]>(setups.map((setup) => [setup, []]));
  const turnCount = context.isQuick ? 1 : 2 * context.repetitions - 1;
  // Twice before it counts: code is compiled, and the numbers of calls are found.
  for (let number = -2; number < turnCount; number++) {
    for (const setup of setups) {
      const turn = await takeTurn(context, setup, counts);
      if (turn === undefined) return false;
      if (number >= 0) turns.get(setup)?.push(turn);
    }
  }
  const [alone] = turns.values();
  for (const [{ name }, found] of turns) {
    const report = (what: string, unit: 'operations/s' | 'count', of: keyof Turn): void =>
      context.report({ name: `${name}${what}`, unit, samples: found.map((turn) => turn[of]) });
    report('', 'operations/s', 'perSecond');
    report(', by processor time of each', 'operations/s', 'perCpuSecond');
    report(', cores that the servers had', 'count', 'cores');
    if (found === alone) continue;
    const ratio = (what: string, of: keyof Turn): void => {
      const samples = found.map((turn, index) => turn[of] / (alone?.[index]?.[of] ?? NaN));
      context.report({ name: `${name}, to one server${what}`, unit: 'ratio', samples });
    };
    ratio('', 'perSecond');
    ratio(', by processor time of each', 'perCpuSecond');
  }
  return true;
}

/** All loads at the same time; each is made as long as the others for the next turn. @param counts of calls, by what was found. */
async function takeTurn(
  context: CaseContext,
  { loads }: Setup,
  counts: Map<Load, number>,
): Promise<Turn | undefined> {
  const parts = await Promise.all(
    loads.map(async (load) => {
      const { server, request } = load;
      const count = counts.get(load) ?? operationCount(context, FIRST_COUNT);
      const before = await cpuSecondsOf(server.processId);
      const perSecond = await sendByH2load(context, `http://${server.ready}`, request, count);
      if (perSecond === undefined) return undefined;
      const cpuSeconds = Math.max(CPU_SECONDS_MIN, (await cpuSecondsOf(server.processId)) - before);
      counts.set(load, operationCount(context, Math.ceil(perSecond * TURN_SECONDS)));
      return { count, seconds: count / perSecond, cpuSeconds };
    }),
  );
  let [count, seconds, cpuSeconds, perCpuSecond] = [0, 0, 0, 0];
  for (const part of parts) {
    if (part === undefined) return undefined;
    count += part.count;
    seconds = Math.max(seconds, part.seconds);
    cpuSeconds += part.cpuSeconds;
    perCpuSecond += part.count / part.cpuSeconds;
  }
  return { perSecond: count / seconds, perCpuSecond, cores: cpuSeconds / seconds };
}
