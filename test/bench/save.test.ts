import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commitOfRun, describeCommit } from '../../bench/commit.ts';
import { parseDocument } from '../../bench/result.ts';
import { resultFileName, saveResult, toJson } from '../../bench/save.ts';
import { documentOf } from './result-document.ts';

const TIMEOUT_MS = 120_000;

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kelp-bench-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

function run(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, ['--expose-gc', ...args], { encoding: 'utf8', timeout: TIMEOUT_MS });
}

describe('the commit of a result', () => {
  async function repository(): Promise<{ folder: string; git: (...args: string[]) => string }> {
    const folder = await temporaryFolder();
    const identity = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];
    const git = (...args: string[]): string =>
      execFileSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8' });
    git('init', '--quiet');
    writeFileSync(join(folder, 'source.ts'), 'one\n');
    git('add', '.');
    git('commit', '--quiet', '--message', 'One');
    return { folder, git };
  }

  test('is marked where a file was changed or is new, and not for results beside it', async () => {
    const { folder, git } = await repository();
    const id = git('rev-parse', 'HEAD').trim();
    await mkdir(join(folder, 'bench/results'), { recursive: true });
    writeFileSync(join(folder, 'bench/results/a.json'), '{}');
    expect(await describeCommit(folder)).toEqual({ id, isDirty: false });
    writeFileSync(join(folder, 'new.ts'), '');
    expect(await describeCommit(folder)).toEqual({ id, isDirty: true });
    await rm(join(folder, 'new.ts'));
    writeFileSync(join(folder, 'source.ts'), 'two\n');
    expect(await describeCommit(folder)).toEqual({ id, isDirty: true });
  });

  test('is marked where the sources became others while it ran', () => {
    const [clean, dirty, later] = [
      { id: 'a', isDirty: false },
      { id: 'a', isDirty: true },
      { id: 'b', isDirty: false },
    ] as const;
    expect(commitOfRun(clean, clean)).toEqual(clean);
    expect(commitOfRun(clean, dirty)).toEqual(dirty);
    expect(commitOfRun(dirty, clean)).toEqual(dirty);
    expect(commitOfRun(clean, later)).toEqual(dirty);
    expect(commitOfRun(clean, null)).toBeNull();
  });

  test('is null outside of a repository', async () => {
    expect(await describeCommit(await temporaryFolder())).toBeNull();
  });
});

describe('a file of a result', () => {
  test('is named by time and commit, and says what speaks against it', () => {
    const commit = documentOf().commit ?? { id: '' };
    expect(resultFileName(documentOf())).toBe('2026-11-26-150211-36edf4a.json');
    expect(resultFileName(documentOf({ commit: { ...commit, isDirty: true }, isQuick: true }))).toBe(
      '2026-11-26-150211-36edf4a-dirty-quick.json',
    );
  });

  test('is read as what was saved, and an older one is not written over', async () => {
    const folder = await temporaryFolder();
    const path = await saveResult(documentOf(), folder);
    expect(parseDocument(readFileSync(path, 'utf8'))).toEqual(documentOf());
    await expect(saveResult(documentOf({ seconds: 4 }), folder)).rejects.toThrow('EEXIST');
    expect(parseDocument(readFileSync(path, 'utf8')).seconds).toBe(3);
  });

  test('that is something else is refused with what it is', () => {
    expect(() => parseDocument('{')).toThrow('not JSON');
    for (const text of ['null', '7', '[]', '{"figures":[]}'])
      expect(() => parseDocument(text)).toThrow('no "format"');
    expect(() => parseDocument(toJson({ ...documentOf(), format: 2 }))).toThrow('its format is 2');
    const { machine: _, ...headless } = documentOf();
    for (const machine of [{}, { machine: null }])
      expect(() => parseDocument(JSON.stringify({ ...headless, ...machine }))).toThrow('no whole result');
    const figures = [{ ...documentOf().figures[0], median: null }];
    expect(() => parseDocument(JSON.stringify({ ...documentOf(), figures }))).toThrow('no whole result');
  });
});

test(
  'a run keeps what it prints, and two of them are compared by their names',
  { timeout: TIMEOUT_MS },
  async () => {
    const folder = await temporaryFolder();
    const args = ['--quick', '--json', '--filter', 'log', '--save-to', folder];
    const { stdout, stderr, status } = run('bench/main.ts', ...args);
    expect(status, stderr).toBe(0);
    const [name = '', ...others] = readdirSync(folder);
    expect(others).toEqual([]);
    expect(stderr).toContain(`saved as ${join(folder, name)}\n`);
    const saved = readFileSync(join(folder, name), 'utf8');
    expect(saved).toBe(stdout);
    const document = parseDocument(saved);
    expect(name).toBe(resultFileName(document));
    expect(document.commit?.id).toBe(execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim());
    expect(document.arguments).toEqual(args);
    expect(document.figures.length).toBeGreaterThan(0);

    const compared = run('bench/compare.ts', join(folder, name), join(folder, name));
    expect(compared.status, compared.stderr).toBe(0);
    expect(compared.stdout).toContain('A is a quick run: its figures mean nothing.');
    const ratios = [...compared.stdout.matchAll(/ 1\.00  one repetition$/gm)];
    expect(ratios.length).toBe(document.figures.length);
  },
);

test(
  'a folder that can not be made is told before anything is measured',
  { timeout: TIMEOUT_MS },
  async () => {
    const file = join(await temporaryFolder(), 'file');
    writeFileSync(file, '');
    const { stdout, stderr, status } = run('bench/main.ts', '--quick', '--filter', 'log', '--save-to', file);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^--save: .*file/);
    expect(stderr).not.toContain('done in');
    expect(stdout).toBe('');
  },
);

test('a comparison without two results, or with one that there is not, tells how it is called', () => {
  for (const [args, reason] of [
    [[], 'give two results'],
    [['no-such', 'no-such'], 'there is no result no-such'],
    [['package.json', 'package.json'], 'package.json: it is no result of npm run bench'],
  ] as const) {
    const { stderr, status } = run('bench/compare.ts', ...args);
    expect(status).toBe(2);
    expect(stderr).toContain(reason);
    expect(stderr).toContain('npm run bench:compare A B');
  }
});
