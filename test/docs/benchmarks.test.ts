/** Each table of figures in docs/benchmarks.md says which saved result it is of, or that it is older than these. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDocument } from '../../bench/result.ts';
import { RESULTS_FOLDER } from '../../bench/save.ts';
import { sectionOf } from '../support/page-examples.ts';

const page = readFileSync('docs/benchmarks.md', 'utf8');

/** The paragraphs of the page's measurements, tables among them, in their order. */
const paragraphs = sectionOf(page, 'Measured').split(/\n{2,}/);
const origins = paragraphs.flatMap((paragraph, index) =>
  paragraph.startsWith('|') ? [{ table: paragraph.slice(0, 60), origin: paragraphs[index + 1] ?? '' }] : [],
);
const saved = existsSync(RESULTS_FOLDER) ? readdirSync(RESULTS_FOLDER) : [];

test('each table names its file, or the commit that brought it before results were kept', () => {
  expect(origins.length).toBeGreaterThan(5);
  const form =
    /^File: (?:\[`[\w.-]+`\]\(\.\.\/bench\/results\/[\w.-]+\)|none; it came with [0-9a-f]{7}, before)/;
  expect(origins.filter(({ origin }) => !form.test(origin))).toEqual([]);
});

test('each saved result is named on the page', () => {
  const named = [...page.matchAll(/\(\.\.\/bench\/results\/([\w.-]+)\)/g)].map(([, name]) => name);
  expect(saved.filter((name) => !named.includes(name))).toEqual([]);
});

describe.each(saved)('%s', (name) => {
  const document = parseDocument(readFileSync(`${RESULTS_FOLDER}/${name}`, 'utf8'));

  test('is a whole result of a whole run', () => {
    expect(document.isQuick).toBe(false);
    expect(document.figures.length).toBeGreaterThan(0);
    expect(basename(name, '.json')).toContain(document.commit?.id.slice(0, 7));
  });
});
