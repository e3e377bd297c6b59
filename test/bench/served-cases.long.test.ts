/** The cases that take their time even in a quick run: a server, and many clients. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { catalog } from '../../bench/catalog.ts';
import type { BenchDocument } from '../../bench/result.ts';
import { places } from '../support/share.ts';

const TIMEOUT_MS = 300_000;
const names = catalog.map(({ name }) => name).filter((name) => /^(?:served-|redis-)/.test(name));

test.each([...places(names.length)].map((place) => names[place] ?? ''))(
  '%s has figures in a quick run',
  { timeout: TIMEOUT_MS },
  (name) => {
    const args = ['--quick', '--json', '--sizes', '100', '--filter', name];
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--expose-gc', 'bench/main.ts', ...args],
      {
        encoding: 'utf8',
        timeout: TIMEOUT_MS,
      },
    );
    expect(status, stderr).toBe(0);
    const { figures } = JSON.parse(stdout) as BenchDocument;
    expect(new Set(figures.map((figure) => figure.case))).toEqual(new Set([name]));
    expect(figures.every(({ median }) => Number.isFinite(median))).toBe(true);
    if (name === 'served-watch-slow') {
      expect(
        figures.find((figure) => figure.name.includes('slow watchers that got every event'))?.median,
      ).toBe(10);
    }
  },
);
