/** `npm run bench`: measures KelpDB, and Redis and etcd on the same work where they are installed. */
import { fileURLToPath } from 'node:url';
import { abandon, type CaseOutcome, runEntry } from './case-runner.ts';
import { type BenchOptions, caseList, parseCommandLine, usage } from './command-line.ts';
import { type Commit, commitOfRun, describeCommit } from './commit.ts';
import { currentLoadAverage, describeMachine } from './machine.ts';
import { formatTable } from './report.ts';
import { toDocument } from './result.ts';
import { makeResultsFolder, saveResult, toJson } from './save.ts';

const SOURCES_FOLDER = fileURLToPath(new URL('..', import.meta.url));
const NO_COMMIT = `--save: the sources are in no git repository, or git is not installed: a result that names no commit can't be
compared. Run the bench in a clone, or take the figures by --json.`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: ReturnType<typeof parseCommandLine>;
  try {
    options = parseCommandLine(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return EXIT_USAGE;
  }
  if (options === 'help' || options === 'list') {
    process.stdout.write(options === 'help' ? usage : caseList());
    return 0;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void abandon().finally(() => process.exit(EXIT_INTERRUPTED)));
  }
  return measure(options);
}

async function measure(options: BenchOptions): Promise<number> {
  const startMs = Date.now();
  const machine = await describeMachine();
  const commitBefore = await describeCommit(SOURCES_FOLDER);
  if (options.resultsFolder !== undefined) {
    const refusal = await refusalToSave(options.resultsFolder, commitBefore);
    if (refusal !== undefined) {
      process.stderr.write(`${refusal}\n`);
      return EXIT_USAGE;
    }
  }
  const outcomes: CaseOutcome[] = [];
  for (const entry of options.entries) {
    const keyCounts = entry.sizes === 'once' ? [undefined] : options.keyCounts;
    for (const keyCount of keyCounts) {
      if (keyCount !== undefined && keyCount > (entry.keyCountMax ?? Infinity)) continue;
      const caseStartMs = performance.now();
      const outcome = await runEntry(entry, keyCount, options);
      outcomes.push(outcome);
      noteProgress(outcome, (performance.now() - caseStartMs) / 1000);
    }
  }
  const document = toDocument(
    {
      startedAt: `${new Date(startMs).toISOString().slice(0, 19)}Z`,
      seconds: Math.round((Date.now() - startMs) / 1000),
      arguments: process.argv.slice(2),
      commit: commitOfRun(commitBefore, await describeCommit(SOURCES_FOLDER)),
      machine,
      loadAverageAfter: currentLoadAverage(),
      isQuick: options.isQuick,
      engine: options.engine,
    },
    outcomes,
  );
  process.stdout.write(options.isJson ? toJson(document) : formatTable(document));
  if (options.resultsFolder !== undefined) {
    process.stderr.write(`saved as ${await saveResult(document, options.resultsFolder)}\n`);
  }
  return outcomes.some(({ hasFailed }) => hasFailed) ? EXIT_FAILED : 0;
}

/** Before anything is measured: why the result could not be kept. */
async function refusalToSave(folder: string, commit: Commit | null): Promise<string | undefined> {
  if (commit === null) return NO_COMMIT;
  try {
    await makeResultsFolder(folder);
    return undefined;
  } catch (error) {
    return `--save: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Beside the table, so that it is seen to go on. */
function noteProgress({ caseName, keyCount, missing, hasFailed }: CaseOutcome, seconds: number): void {
  const size = keyCount === undefined ? '' : `, ${keyCount.toLocaleString('en')} keys`;
  const state = hasFailed ? 'failed' : missing === undefined ? 'done' : 'left out';
  process.stderr.write(`${caseName}${size}: ${state} in ${seconds.toFixed(1)} s\n`);
}
