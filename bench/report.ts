/** The figures for people. */
import type { BenchDocument, Figure } from './result.ts';

/** A table of medians: a row for each figure, a column for each number of keys. */
export function formatTable({ machine, commit, isQuick, engine, figures, missing }: BenchDocument): string {
  const { cpu, coreCount, memoryGiB, operatingSystem, node, fileSystem, loadAverage } = machine;
  const lines = [
    `${cpu}, ${coreCount} cores, ${memoryGiB} GiB, ${operatingSystem}, Node ${node}, ${fileSystem}`,
    `Load average before: ${loadAverage}. Engine: ${engine}. Medians, ± half of the spread from least to most.`,
  ];
  if (commit?.isDirty === true) {
    lines.push(`The sources have changes that the commit ${commit.id.slice(0, 7)} does not have.`);
  }
  if (isQuick) lines.push('A quick run: these figures mean nothing.');
  const keyCounts = [...new Set(figures.map(({ keyCount }) => keyCount))].filter(
    (keyCount) => keyCount !== null,
  );
  keyCounts.sort((a, b) => a - b);
  for (const caseName of new Set(figures.map((figure) => figure.case))) {
    const ofCase = figures.filter((figure) => figure.case === caseName);
    lines.push('', ...formatCase(caseName, ofCase, keyCounts));
  }
  for (const { case: caseName, keyCount, reason } of missing) {
    lines.push('', `${caseName}${keyCount === null ? '' : ` (${formatNumber(keyCount)} keys)`}: ${reason}`);
  }
  return `${lines.join('\n')}\n`;
}

const CELL_WIDTH = 18;

function formatCase(caseName: string, figures: readonly Figure[], keyCounts: readonly number[]): string[] {
  const nameWidth = Math.max(...figures.map(({ name }) => name.length));
  const unitWidth = Math.max(...figures.map(({ unit }) => unit.length));
  const isSized = figures.some(({ keyCount }) => keyCount !== null);
  const columns: readonly (number | null)[] = isSized ? keyCounts : [null];
  const titles = columns.map((keyCount) => (keyCount === null ? '' : `${formatNumber(keyCount)} keys`));
  const header = `${caseName.padEnd(nameWidth + unitWidth + 4)}${titles.map((title) => title.padStart(CELL_WIDTH)).join('')}`;
  const rows = new Map(figures.map(({ name, unit }) => [`${name}|${unit}`, { name, unit }]));
  const lines = [...rows.values()].map(({ name, unit }) => {
    const cells = columns.map((keyCount) => {
      const figure = figures.find(
        (one) => one.name === name && one.unit === unit && one.keyCount === keyCount,
      );
      return (figure === undefined ? '' : formatFigure(figure)).padStart(CELL_WIDTH);
    });
    return `  ${name.padEnd(nameWidth)}  ${unit.padStart(unitWidth)}${cells.join('')}`.trimEnd();
  });
  return [header.trimEnd(), ...lines];
}

function formatFigure(figure: Figure): string {
  const spread = formatSpread(figure);
  if (spread === '') return formatNumber(figure.median);
  return `${formatNumber(figure.median)}${spread}`.padEnd(CELL_WIDTH - 2);
}

/** Half of the spread, in percent of the median; nothing where there is one repetition only. */
export function formatSpread({ median, min, max, n }: Figure): string {
  return n === 1 || median === 0 ? '' : ` ±${Math.round(((max - min) / 2 / median) * 100)}%`;
}

/** Three digits that count: more would say more than was measured. */
export function formatNumber(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-3))));
  const rounded = value >= 1000 && !Number.isInteger(value) ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString('en', { maximumFractionDigits: Math.min(digits, 3) });
}
