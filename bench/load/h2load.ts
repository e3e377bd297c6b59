/**
 * `h2load` (nghttp2) as a client: it is written in C, so that the server and not the client is what is measured. It sends
 * one request over and over, and does not look into the replies. Calls are counted by the clock and by the processor time of
 * the server: the latter means something on a busy machine too.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { CaseContext } from '../bench-case.ts';
import { operationCount } from '../bench-case.ts';
import { cpuSecondsOf } from './process-figures.ts';
import { framed } from './raw-stream.ts';

/** How many calls are under way: so many on each of so many connections. */
export interface H2Shape {
  readonly connections: number;
  readonly streams: number;
}

const SHAPE: H2Shape = { connections: 8, streams: 32 };
/** Of the first round, which tells how many there are in the others. */
const FIRST_REQUEST_COUNT = 10_000;
const ROUND_SECONDS = 2;
/** A quick try may take less than the step in which processor time is told. */
const CPU_SECONDS_MIN = 0.01;

export interface H2Server {
  /** Stands before the names of the figures. */
  readonly name: string;
  readonly url: string;
  readonly processId: number;
}

export interface H2Request {
  readonly name: string;
  readonly path: string;
  readonly message: Buffer;
}

export interface ServerRates {
  readonly perSecond: number;
  /** For each second of the server's processor time. */
  readonly perCpuSecond: number;
}

/** Measures one request. Reports nothing when `h2load` is not installed. */
export async function measureWithH2load(
  context: CaseContext,
  server: H2Server,
  request: H2Request,
): Promise<void> {
  const found: ServerRates[] = [];
  let count = operationCount(context, FIRST_REQUEST_COUNT);
  for (let repetition = 0; repetition <= context.repetitions; repetition++) {
    const rates = await h2loadRates(context, server, request, count);
    if (rates === undefined) return context.reportMissing('h2load is not installed');
    if (repetition > 0) found.push(rates);
    else count = Math.max(count, operationCount(context, Math.round(rates.perSecond * ROUND_SECONDS)));
  }
  const { connections, streams } = SHAPE;
  const load = `${server.name}: ${request.name}, ${connections} connections, ${connections * streams} under way`;
  context.report({ name: load, unit: 'operations/s', samples: found.map(({ perSecond }) => perSecond) });
  context.report({
    name: `${load}, by the server's processor time`,
    unit: 'operations/s',
    samples: found.map(({ perCpuSecond }) => perCpuSecond),
  });
}

/** Sends one request `count` times. @returns `undefined` when `h2load` is not installed. */
export async function h2loadRates(
  context: CaseContext,
  { url, processId }: H2Server,
  request: H2Request,
  count: number,
): Promise<ServerRates | undefined> {
  const before = await cpuSecondsOf(processId);
  const perSecond = await sendByH2load(context, url, request, count);
  if (perSecond === undefined) return undefined;
  const cpuSeconds = (await cpuSecondsOf(processId)) - before;
  return { perSecond, perCpuSecond: count / Math.max(CPU_SECONDS_MIN, cpuSeconds) };
}

/** Sends one request `count` times. @returns requests a second by the clock; `undefined` when `h2load` is not installed. */
export async function sendByH2load(
  context: CaseContext,
  url: string,
  { path, message }: H2Request,
  count: number,
  { connections, streams }: H2Shape = SHAPE,
): Promise<number | undefined> {
  // Several may be sent to at the same time.
  const bodyFile = `${context.directory}/h2load-body-${new URL(url).port}`;
  await writeFile(bodyFile, framed(message));
  return runH2load([
    `--requests=${Math.max(count, connections)}`,
    `--clients=${connections}`,
    `--max-concurrent-streams=${streams}`,
    `--data=${bodyFile}`,
    '--header=content-type: application/grpc',
    '--header=te: trailers',
    `${url}${path}`,
  ]);
}

/** @returns requests a second by the clock; `undefined` when `h2load` is not installed. */
export async function runH2load(args: readonly string[]): Promise<number | undefined> {
  let output: string;
  try {
    output = (await promisify(execFile)('h2load', args)).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const rate = /^finished in [^,]+, ([\d.]+) req\/s/m.exec(output)?.[1];
  const isClean = / 0 failed, 0 errored, 0 timeout/.test(output);
  if (rate === undefined || !isClean) throw new Error(`h2load did not succeed:\n${output}`);
  return Number(rate);
}
