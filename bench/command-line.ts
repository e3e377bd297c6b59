/** The options of `npm run bench`. */
import { parseArgs } from 'node:util';
import { catalog, type CatalogEntry } from './catalog.ts';
import { type EngineName, engineMakers, isEngineName } from './load/engines.ts';
import { RESULTS_FOLDER } from './save.ts';

export interface BenchOptions {
  readonly entries: readonly CatalogEntry[];
  readonly keyCounts: readonly number[];
  readonly isQuick: boolean;
  readonly isJson: boolean;
  /** Where the result is kept; `undefined`: nowhere. */
  readonly resultsFolder: string | undefined;
  readonly engine: EngineName;
  readonly profileDirectory: string | undefined;
}

export const usage = `npm run bench -- [options]

  --filter TEXT      only the case of that name, or else those whose names contain TEXT; may be given several times
  --sizes N,N,...    numbers of keys (1000,100000,1000000)
  --quick            the smallest work that shows that every case runs; the figures mean nothing
  --all              also the cases that take minutes or gigabytes
  --json             one JSON document instead of a table
  --save             also keeps the result in bench/results/, for npm run bench:compare
  --save-to FOLDER   keeps it there instead
  --engine NAME      ${Object.keys(engineMakers).join(' or ')}
  --profile FOLDER   every process leaves a CPU profile there
  --list             the cases
  --help             this text
`;

const DEFAULT_KEY_COUNTS = [1000, 100_000, 1_000_000];
const QUICK_KEY_COUNTS = [1000];

/** The cases that `--list` shows. */
export function caseList(): string {
  const width = Math.max(...catalog.map(({ name }) => name.length));
  const line = ({ name, about, isOnDemand }: CatalogEntry): string =>
    `${name.padEnd(width)}  ${about}${isOnDemand === true ? ' (with --all)' : ''}\n`;
  return catalog.map(line).join('');
}

/** @throws Error with a text for people when an option is wrong. */
export function parseCommandLine(args: readonly string[]): BenchOptions | 'help' | 'list' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      filter: { type: 'string', multiple: true },
      sizes: { type: 'string' },
      quick: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      'save-to': { type: 'string' },
      engine: { type: 'string', default: 'default' },
      profile: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.list) return 'list';
  if (!isEngineName(values.engine)) throw new Error(`there is no engine ${values.engine}`);
  const defaultKeyCounts = values.quick ? QUICK_KEY_COUNTS : DEFAULT_KEY_COUNTS;
  return {
    entries: chooseEntries(values.filter ?? [], values.all),
    keyCounts: values.sizes === undefined ? defaultKeyCounts : parseKeyCounts(values.sizes),
    isQuick: values.quick,
    isJson: values.json,
    resultsFolder: values['save-to'] ?? (values.save ? RESULTS_FOLDER : undefined),
    engine: values.engine,
    profileDirectory: values.profile,
  };
}

function chooseEntries(filters: readonly string[], isAll: boolean): CatalogEntry[] {
  const names = new Set(catalog.map(({ name }) => name));
  const isWanted = ({ name, isOnDemand }: CatalogEntry): boolean =>
    filters.length === 0
      ? isAll || isOnDemand !== true
      : filters.some((filter) => (names.has(filter) ? name === filter : name.includes(filter)));
  const entries = catalog.filter(isWanted);
  if (entries.length === 0) throw new Error(`no case has a name with ${filters.join(' or ')}; see --list`);
  return entries;
}

function parseKeyCounts(text: string): number[] {
  return text.split(',').map((part) => {
    const keyCount = Number(part);
    if (!Number.isSafeInteger(keyCount) || keyCount < 1)
      throw new Error(`--sizes: ${part} is not a number of keys`);
    return keyCount;
  });
}
