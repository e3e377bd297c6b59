/** Runs cases, each in its own process and folder, and leaves neither processes nor files behind. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measured } from './bench-case.ts';
import type { CaseMessage, CaseOrder } from './case-message.ts';
import type { CatalogEntry } from './catalog.ts';
import type { BenchOptions } from './command-line.ts';

export interface CaseOutcome {
  readonly caseName: string;
  /** `undefined` for a case that has no use for keys. */
  readonly keyCount: number | undefined;
  readonly figures: Measured[];
  /** Why there are no figures, or not all: a peer that is not installed, a case that broke. */
  missing: string | undefined;
  hasFailed: boolean;
}

const REPETITIONS = 3;
const QUICK_REPETITIONS = 1;
const CASE_PROCESS = fileURLToPath(new URL('./case-process.ts', import.meta.url));

/** The process that runs now, with the servers that it started and has not ended. */
const processes = new Set<ChildProcess>();
const serverProcessIds = new Set<number>();
const directories = new Set<string>();

/** Runs a case for one number of keys. A case that breaks is told in the outcome. */
export async function runEntry(
  entry: CatalogEntry,
  keyCount: number | undefined,
  options: BenchOptions,
): Promise<CaseOutcome> {
  const outcome: CaseOutcome = {
    caseName: entry.name,
    keyCount,
    figures: [],
    missing: undefined,
    hasFailed: false,
  };
  const directory = await mkdtemp(join(tmpdir(), 'kelp-bench-'));
  directories.add(directory);
  const { isQuick, engine, profileDirectory } = options;
  const order: CaseOrder = {
    caseName: entry.name,
    step: 'prepare',
    keyCount: keyCount ?? 0,
    isQuick,
    repetitions: isQuick ? QUICK_REPETITIONS : REPETITIONS,
    directory,
    engine,
    profileDirectory,
  };
  try {
    if (profileDirectory !== undefined) await mkdir(profileDirectory, { recursive: true });
    if ((await entry.load()).prepare !== undefined) await runProcess(order, outcome);
    const processCount = isQuick ? 1 : (entry.processCount ?? 1);
    for (let index = 0; index < processCount && outcome.missing === undefined; index++) {
      await runProcess({ ...order, step: 'run' }, outcome);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
    directories.delete(directory);
  }
  return outcome;
}

/** Ends what runs, at once; for a bench that is interrupted. */
export async function abandon(): Promise<void> {
  for (const child of processes) child.kill('SIGKILL');
  endServers();
  for (const directory of directories) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

async function runProcess(order: CaseOrder, outcome: CaseOutcome): Promise<void> {
  const execArgv = ['--expose-gc'];
  if (order.profileDirectory !== undefined && order.step === 'run') {
    execArgv.push('--cpu-prof', `--cpu-prof-dir=${order.profileDirectory}`);
  }
  // What a case prints is not for the reader of the table.
  const child = fork(CASE_PROCESS, [JSON.stringify(order)], {
    execArgv,
    stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
  });
  processes.add(child);
  child.on('message', (message) => take(message as CaseMessage, outcome));
  const exit = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code === 0 ? '' : (signal ?? `exit code ${code}`)));
  });
  processes.delete(child);
  endServers();
  if (exit !== '') {
    outcome.missing ??= `the process of the case ended with ${exit}`;
    outcome.hasFailed = true;
  }
}

function take(message: CaseMessage, outcome: CaseOutcome): void {
  switch (message.kind) {
    case 'measured':
      addSamples(outcome.figures, message.measured);
      return;
    case 'missing':
      outcome.missing = message.reason;
      return;
    case 'started':
      serverProcessIds.add(message.processId);
      return;
    case 'ended':
      serverProcessIds.delete(message.processId);
      return;
    case 'failed':
      outcome.missing = message.reason;
      outcome.hasFailed = true;
  }
}

/** A case of several processes has the samples of all of them in one figure. */
function addSamples(figures: Measured[], measured: Measured): void {
  const index = figures.findIndex(({ name, unit }) => name === measured.name && unit === measured.unit);
  const known = figures[index];
  if (known === undefined) figures.push(measured);
  else figures[index] = { ...known, samples: [...known.samples, ...measured.samples] };
}

/** Servers of a case that broke before it could end them. */
function endServers(): void {
  for (const processId of serverProcessIds) {
    try {
      process.kill(processId, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  serverProcessIds.clear();
}
