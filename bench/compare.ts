/** `npm run bench:compare A B`: two saved results, figure by figure. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatComparison } from './comparison.ts';
import { type BenchDocument, parseDocument } from './result.ts';
import { RESULTS_FOLDER } from './save.ts';

const EXIT_USAGE = 2;

const usage = `npm run bench:compare A B

  A and B are files that npm run bench -- --save wrote, or the names of files in bench/results/, with or without .json.
  B is compared with A: "better" and "worse" stand where the least and the most of the two do not overlap.
`;

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      options: { help: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    const [before, after, ...more] = positionals;
    if (before === undefined || after === undefined || more.length > 0) throw new Error('give two results');
    process.stdout.write(formatComparison(await readResult(before), await readResult(after)));
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return EXIT_USAGE;
  }
}

async function readResult(name: string): Promise<readonly [string, BenchDocument]> {
  const kept = join(RESULTS_FOLDER, name);
  for (const path of [name, kept, `${kept}.json`]) {
    const text = await readIfThere(path);
    if (text === undefined) continue;
    try {
      return [basename(path), parseDocument(text)];
    } catch (error) {
      throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  throw new Error(`there is no result ${name}, neither as a file nor in ${RESULTS_FOLDER}`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
