/**
 * Two results side by side, figure by figure: the ratio of the medians, and whether it is more than the spread.
 *
 * "Better" means that the worst of one is better than the best of the other. Where the ranges overlap, the ratio may be
 * chance, and of one repetition there is no range. What makes the two hard to compare, such as another machine, is told before the figures.
 */
import type { Unit } from './bench-case.ts';
import { formatNumber, formatSpread } from './report.ts';
import type { BenchDocument, Figure } from './result.ts';

interface ComparedFigure {
  readonly before: Figure;
  readonly after: Figure;
  /** Of the medians, after by before; `undefined` where the first is 0. */
  readonly ratio: number | undefined;
  readonly verdict: keyof typeof verdictTexts;
}

interface Comparison {
  /** Sentences: in what the two runs differ besides the figures. */
  readonly doubts: readonly string[];
  readonly compared: readonly ComparedFigure[];
  /** Figures that only one of the two has, with the reason where that is known. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

export function compareResults(before: BenchDocument, after: BenchDocument): Comparison {
  const afterByKey = new Map(after.figures.map((figure) => [keyOf(figure), figure]));
  const beforeKeys = new Set(before.figures.map(keyOf));
  return {
    doubts: [...differencesOf(before, after), ...doubtsOf('A', before), ...doubtsOf('B', after)],
    compared: before.figures.flatMap((figure) => {
      const other = afterByKey.get(keyOf(figure));
      return other === undefined ? [] : [compareFigures(figure, other)];
    }),
    onlyBefore: before.figures
      .filter((figure) => !afterByKey.has(keyOf(figure)))
      .map((figure) => nameWithReason(figure, after)),
    onlyAfter: after.figures
      .filter((figure) => !beforeKeys.has(keyOf(figure)))
      .map((figure) => nameWithReason(figure, before)),
  };
}

function keyOf({ case: caseName, name, unit, keyCount }: Figure): string {
  return JSON.stringify([caseName, name, unit, keyCount]);
}

function compareFigures(before: Figure, after: Figure): ComparedFigure {
  const ratio = before.median === 0 ? undefined : after.median / before.median;
  if (before.n === 1 || after.n === 1) return { before, after, ratio, verdict: 'unknown' };
  const isMore = after.min > before.max;
  if (!isMore && after.max >= before.min) return { before, after, ratio, verdict: 'overlap' };
  const wanted = wantedOf(before.unit);
  if (wanted === undefined) return { before, after, ratio, verdict: 'apart' };
  return { before, after, ratio, verdict: isMore === (wanted === 'more') ? 'better' : 'worse' };
}

/** `undefined`: it depends on the figure. */
function wantedOf(unit: Unit): 'more' | 'less' | undefined {
  if (unit === 'ratio' || unit === 'count') return undefined;
  return unit.endsWith('/s') ? 'more' : 'less';
}

function differencesOf(before: BenchDocument, after: BenchDocument): string[] {
  const differences: string[] = [];
  const add = (what: string, one: unknown, other: unknown): void => {
    if (one !== other) differences.push(`The ${what} differs: ${String(one)} and ${String(other)}.`);
  };
  const [a, b] = [before.machine, after.machine];
  add('processor', a.cpu, b.cpu);
  add('number of cores', a.coreCount, b.coreCount);
  add('memory in GiB', a.memoryGiB, b.memoryGiB);
  add('operating system', a.operatingSystem, b.operatingSystem);
  add('Node', a.node, b.node);
  add('file system', a.fileSystem, b.fileSystem);
  add('commit', before.commit?.id, after.commit?.id);
  add('engine', before.engine, after.engine);
  return differences;
}

function doubtsOf(name: string, { commit, isQuick, machine }: BenchDocument): string[] {
  const doubts: string[] = [];
  if (commit === null) doubts.push(`${name} is of no commit.`);
  if (commit?.isDirty === true)
    doubts.push(`${name} was measured with changes that its commit does not have.`);
  if (isQuick) doubts.push(`${name} is a quick run: its figures mean nothing.`);
  if (machine.loadAverage >= machine.coreCount / 2) {
    doubts.push(
      `${name} began at a load of ${machine.loadAverage} on ${machine.coreCount} cores: rates are too low.`,
    );
  }
  return doubts;
}

function nameWithReason(figure: Figure, other: BenchDocument): string {
  const reason = other.missing.find(
    (missing) => missing.case === figure.case && missing.keyCount === figure.keyCount,
  )?.reason;
  const keys = figure.keyCount === null ? '' : `, ${formatNumber(figure.keyCount)} keys`;
  return `${figure.case}: ${figure.name}${keys}${reason === undefined ? '' : ` (${reason})`}`;
}

/** For people: what was compared, the doubts, a line for each figure, what only one of the two has. */
export function formatComparison(
  [beforeName, before]: readonly [string, BenchDocument],
  [afterName, after]: readonly [string, BenchDocument],
): string {
  const { doubts, compared, onlyBefore, onlyAfter } = compareResults(before, after);
  const lines = [headOf('A', beforeName, before), headOf('B', afterName, after), ...doubts];
  const nameWidth = Math.max(0, ...compared.map(({ before: { name } }) => name.length));
  for (const caseName of new Set(compared.map(({ before: figure }) => figure.case))) {
    const heads = ['A', 'B', 'B / A'].map((head) => head.padStart(CELL_WIDTH)).join('');
    lines.push('', `${caseName.padEnd(nameWidth + NAME_EXTRA_WIDTH)}${heads}`);
    const ofCase = compared.filter(({ before: figure }) => figure.case === caseName);
    lines.push(...ofCase.map((one) => lineOf(one, nameWidth)));
  }
  if (compared.length === 0) lines.push('', 'The two have no figure in common.');
  if (onlyBefore.length > 0) lines.push('', 'Only in A:', ...onlyBefore.map((name) => `  ${name}`));
  if (onlyAfter.length > 0) lines.push('', 'Only in B:', ...onlyAfter.map((name) => `  ${name}`));
  return `${lines.join('\n')}\n`;
}

const CELL_WIDTH = 18;
/** Behind the longest name: the indent, the number of keys and the unit. */
const NAME_EXTRA_WIDTH = 32;

function headOf(letter: string, name: string, { startedAt, commit, machine }: BenchDocument): string {
  const id =
    commit === null ? 'no commit' : `${commit.id.slice(0, 12)}${commit.isDirty ? ' with changes' : ''}`;
  return `${letter}: ${name}, ${startedAt}, ${id}, load ${machine.loadAverage} before`;
}

function lineOf({ before, after, ratio, verdict }: ComparedFigure, nameWidth: number): string {
  const keys = before.keyCount === null ? '' : `${formatNumber(before.keyCount)} keys`;
  const cells = [before, after].map((figure) =>
    `${formatNumber(figure.median)}${formatSpread(figure)}`.padStart(CELL_WIDTH),
  );
  const name = `  ${before.name.padEnd(nameWidth)}${keys.padStart(16)}${before.unit.padStart(14)}`;
  const shownRatio = (ratio === undefined ? '' : ratio.toFixed(2)).padStart(CELL_WIDTH);
  return `${name}${cells.join('')}${shownRatio}  ${verdictTexts[verdict]}`.trimEnd();
}

/** Nothing stands where the ranges overlap, so that what is more than the spread catches the eye. */
const verdictTexts = {
  better: 'better',
  worse: 'worse',
  apart: 'apart',
  overlap: '',
  unknown: 'one repetition',
} as const;
