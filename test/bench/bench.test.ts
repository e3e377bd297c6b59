import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { BenchDocument } from '../../bench/result.ts';

const TIMEOUT_MS = 120_000;

function runBench(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, ['--expose-gc', 'bench/main.ts', ...args], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
}

test(
  'a quick run measures what it was asked for and prints one JSON document',
  { timeout: TIMEOUT_MS },
  () => {
    const args = ['--quick', '--json', '--sizes', '100,200'];
    const { stdout, stderr, status } = runBench(...args, '--filter', 'store-get', '--filter', 'log');
    expect(status, stderr).toBe(0);
    const { machine, isQuick, figures, missing } = JSON.parse(stdout) as BenchDocument;
    expect(machine.node).toBe(process.version);
    expect(isQuick).toBe(true);
    expect(missing).toEqual([]);
    expect(new Set(figures.map((figure) => figure.case))).toEqual(new Set(['log', 'store-get']));
    const keyCountsOf = (name: string): Set<number | null> =>
      new Set(figures.filter((figure) => figure.case === name).map(({ keyCount }) => keyCount));
    expect(keyCountsOf('log')).toEqual(new Set([null]));
    expect(keyCountsOf('store-get')).toEqual(new Set([100, 200]));
    for (const { n, median, min, max } of figures) {
      expect(n).toBeGreaterThan(0);
      expect(min).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(min);
      expect(max).toBeGreaterThanOrEqual(median);
    }
  },
);

test(
  'a server is measured in a process of its own, and the table names every figure',
  { timeout: TIMEOUT_MS },
  () => {
    const { stdout, stderr, status } = runBench('--quick', '--sizes', '100', '--filter', 'served');
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^served +100 keys$/m);
    expect(stdout).toMatch(/^ {2}@grpc\/grpc-js: get, 64 under way +operations\/s +[\d.,]+$/m);
    expect(stdout).toMatch(/^ {2}connect-node, gRPC: put, 256 under way +operations\/s +[\d.,]+$/m);
  },
);

test(
  'the engine alone is measured with a Map beside it, and each of its cases has figures',
  { timeout: TIMEOUT_MS },
  () => {
    const args = ['--quick', '--json', '--sizes', '200', '--filter', 'engine-'];
    const { stdout, stderr, status } = runBench(...args);
    expect(status, stderr).toBe(0);
    const { figures, missing } = JSON.parse(stdout) as BenchDocument;
    expect(missing).toEqual([]);
    expect(new Set(figures.map((figure) => figure.case))).toEqual(
      new Set(['engine-memory', 'engine-cost', 'engine-growth', 'engine-delete', 'engine-overwrite']),
    );
    const medianOf = (name: string): number => figures.find((figure) => figure.name === name)?.median ?? 0;
    expect(medianOf('read a random key, in batches of 64')).toBeGreaterThan(0);
    expect(medianOf('engine: set')).toBeGreaterThan(0);
    expect(medianOf('Map: set')).toBeGreaterThan(0);
  },
);

test('an engine and LevelDB do the same work, where LevelDB is installed', { timeout: TIMEOUT_MS }, () => {
  const filters = ['--filter', 'engines-memory', '--filter', 'engines-level'];
  const { stdout, stderr, status } = runBench('--quick', '--json', '--sizes', '500', ...filters);
  expect(status, stderr).toBe(0);
  const { figures, missing } = JSON.parse(stdout) as BenchDocument;
  const namesOf = (name: string): string[] =>
    figures.filter((figure) => figure.case === name).map((figure) => figure.name);
  expect(namesOf('engines-memory')).toContain('put over random keys, longest stall');
  expect(namesOf('engines-level')).toEqual(
    missing.length > 0
      ? []
      : [
          ...namesOf('engines-memory').filter((name) => !name.startsWith('rank')),
          'write amplification',
          'space amplification',
        ],
  );
});

test('a case that does not exist is refused with the way to find those that do', () => {
  const { stderr, status } = runBench('--filter', 'no-such-case');
  expect(status).toBe(2);
  expect(stderr).toContain('--list');
});
