/**
 * The one form of what a bench found out: what `--json` prints, what `--save` keeps, what `bench:compare` reads.
 *
 * docs/benchmarks.md describes it. A change that makes an older file mean something else takes the next `FORMAT`.
 */
import type { Measured, Unit } from './bench-case.ts';
import type { CaseOutcome } from './case-runner.ts';
import type { Commit } from './commit.ts';
import { median } from './load/statistics.ts';
import type { Machine } from './machine.ts';

const FORMAT = 1;

export interface Figure {
  readonly case: string;
  readonly name: string;
  readonly unit: Unit;
  /** `null`: the case has no use for keys. */
  readonly keyCount: number | null;
  /** The repetitions that were measured. */
  readonly n: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** A case that has no figures, or not all, and why. */
export interface Missing {
  readonly case: string;
  readonly keyCount: number | null;
  readonly reason: string;
}

export interface BenchDocument {
  readonly format: number;
  /** In UTC, to the second: `2026-11-26T15:02:11Z`. */
  readonly startedAt: string;
  readonly seconds: number;
  /** What was typed behind `npm run bench --`. */
  readonly arguments: readonly string[];
  /** `null`: the sources are in no git repository. */
  readonly commit: Commit | null;
  readonly machine: Machine;
  /** As `machine.loadAverage`, behind the last case: the bench's own work is in it. */
  readonly loadAverageAfter: number;
  readonly isQuick: boolean;
  readonly engine: string;
  readonly figures: readonly Figure[];
  readonly missing: readonly Missing[];
}

/** Everything of a document but the figures. */
export type BenchRun = Omit<BenchDocument, 'format' | 'figures' | 'missing'>;

export function toDocument(run: BenchRun, outcomes: readonly CaseOutcome[]): BenchDocument {
  return {
    format: FORMAT,
    ...run,
    figures: outcomes.flatMap((outcome) => outcome.figures.map((measured) => toFigure(outcome, measured))),
    missing: outcomes.flatMap(({ caseName, keyCount, missing }) =>
      missing === undefined ? [] : [{ case: caseName, keyCount: keyCount ?? null, reason: missing }],
    ),
  };
}

function toFigure({ caseName, keyCount }: CaseOutcome, { name, unit, samples }: Measured): Figure {
  return {
    case: caseName,
    name,
    unit,
    keyCount: keyCount ?? null,
    n: samples.length,
    median: median(samples),
    min: Math.min(...samples),
    max: Math.max(...samples),
  };
}

/**
 * Reads a document that was saved.
 * @throws Error with a text for people: what `text` is instead.
 */
export function parseDocument(text: string): BenchDocument {
  let document: Partial<BenchDocument> | null;
  try {
    document = JSON.parse(text) as Partial<BenchDocument> | null;
  } catch (error) {
    throw new Error('it is not JSON', { cause: error });
  }
  if (typeof document !== 'object' || document?.format === undefined) {
    throw new Error('it is no result of npm run bench: it has no "format"');
  }
  if (document.format !== FORMAT) {
    throw new Error(
      `its format is ${String(document.format)}, and this bench reads ${FORMAT}; compare with the bench of its commit`,
    );
  }
  const { figures, missing, machine, commit, startedAt } = document;
  const isWhole =
    Array.isArray(figures) &&
    figures.every(isFigure) &&
    Array.isArray(missing) &&
    typeof machine === 'object' &&
    machine !== null &&
    commit !== undefined &&
    typeof startedAt === 'string';
  if (!isWhole)
    throw new Error('it is no whole result: machine, commit, date, or a part of a figure is not there');
  return document as BenchDocument;
}

function isFigure(value: unknown): value is Figure {
  const figure = value as Partial<Figure> | null;
  return (
    typeof figure?.case === 'string' &&
    typeof figure.name === 'string' &&
    typeof figure.unit === 'string' &&
    [figure.n, figure.median, figure.min, figure.max].every((number) => typeof number === 'number')
  );
}
