/** `npm run bench`: measures KelpDB, and Redis and etcd on the same work where they are installed. */
import { abandon, type CaseOutcome, runEntry } from './case-runner.ts';
import { type BenchOptions, caseList, parseCommandLine, usage } from './command-line.ts';
import { describeMachine } from './machine.ts';
import { formatTable, toDocument } from './report.ts';

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
  const machine = await describeMachine();
  const outcomes: CaseOutcome[] = [];
  for (const entry of options.entries) {
    const keyCounts = entry.sizes === 'once' ? [undefined] : options.keyCounts;
    for (const keyCount of keyCounts) {
      if (keyCount !== undefined && keyCount > (entry.keyCountMax ?? Infinity)) continue;
      const startMs = performance.now();
      const outcome = await runEntry(entry, keyCount, options);
      outcomes.push(outcome);
      noteProgress(outcome, (performance.now() - startMs) / 1000);
    }
  }
  const document = toDocument(machine, options, outcomes);
  process.stdout.write(options.isJson ? `${JSON.stringify(document, null, 2)}\n` : formatTable(document));
  return outcomes.some(({ hasFailed }) => hasFailed) ? EXIT_FAILED : 0;
}

/** Beside the table, so that it is seen to go on. */
function noteProgress({ caseName, keyCount, missing, hasFailed }: CaseOutcome, seconds: number): void {
  const size = keyCount === undefined ? '' : `, ${keyCount.toLocaleString('en')} keys`;
  const state = hasFailed ? 'failed' : missing === undefined ? 'done' : 'left out';
  process.stderr.write(`${caseName}${size}: ${state} in ${seconds.toFixed(1)} s\n`);
}
