/** Runs every example of the README: what a `$` line prints must be what stands below it. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServerProcess } from '../crash/server-process.ts';

const readme = readFileSync('README.md', 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocks: readonly Block[] = [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
  ([, language = '', text = '']) => ({ language, text }),
);

/** The commands of the README's `console` blocks, each with the lines it is said to print. */
function consoleExamples(): { command: string; output: string }[] {
  const examples: { command: string; output: string }[] = [];
  for (const line of blocks
    .filter(({ language }) => language === 'console')
    .flatMap(({ text }) => text.split('\n'))) {
    const last = examples.at(-1);
    if (line.startsWith('$ ')) examples.push({ command: line.slice(2), output: '' });
    else if (line !== '' && last !== undefined) last.output += `${line}\n`;
  }
  return examples;
}

/** The TypeScript blocks, each with the `text` block that follows it. */
function scriptExamples(): { source: string; output: string }[] {
  return blocks.flatMap((block, index) => {
    if (block.language !== 'ts') return [];
    const next = blocks[index + 1];
    return [{ source: block.text, output: next?.language === 'text' ? next.text : '' }];
  });
}

describe('the README', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kelp-readme-'));
  let server: ServerProcess;

  beforeAll(async () => {
    server = await ServerProcess.start({ dataDir: join(folder, 'data'), outlivesTest: true });
    const kelp = join(folder, 'kelp');
    writeFileSync(kelp, `#!/bin/sh\nexec '${process.execPath}' '${resolve('src/cli/main.ts')}' "$@"\n`);
    chmodSync(kelp, 0o755);
  });

  afterAll(async () => {
    await server.end('SIGTERM');
    rmSync(folder, { recursive: true });
  });

  async function run(command: string, args: readonly string[]): Promise<string> {
    const child = spawn(command, args, {
      cwd: folder,
      env: {
        ...process.env,
        PATH: [folder, resolve('node_modules/.bin'), process.env['PATH']].join(delimiter),
        KELP_ADDRESS: `127.0.0.1:${server.port}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [output, errors] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()]);
    const printed = Buffer.concat(output as Buffer[]).toString();
    const complaint = Buffer.concat(errors as Buffer[]).toString();
    return printed === '' && complaint !== '' ? `(on standard error) ${complaint}` : printed;
  }

  const examples = consoleExamples();

  test('has examples', () => {
    expect(examples.length).toBeGreaterThan(10);
    expect(scriptExamples().length).toBe(2);
  });

  // One after the other: later examples see what earlier ones wrote.
  test.each(examples)('$command', async ({ command, output }) => {
    const here = command.replaceAll('127.0.0.1:7379', `127.0.0.1:${server.port}`);
    expect((await run('sh', ['-c', here])).trimEnd()).toBe(output.trimEnd());
  });

  test.each(scriptExamples())('script %#', async ({ source, output }) => {
    const script = join(folder, 'example.ts');
    const here = source
      .replaceAll('127.0.0.1:7379', `127.0.0.1:${server.port}`)
      .replace("'kelpdb/client'", `'${resolve('src/client/index.ts')}'`)
      .replace("'kelpdb'", `'${resolve('src/index.ts')}'`);
    writeFileSync(script, here);
    expect((await run(process.execPath, [script])).trimEnd()).toBe(output.trimEnd());
  });

  test('names only scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('names only files that there are', () => {
    const named = [...readme.matchAll(/\]\(([\w/.-]+)\)/g)].map(([, path]) => path ?? '');
    expect(named.length).toBeGreaterThan(3);
    for (const path of named) expect(() => readFileSync(path), path).not.toThrow();
  });
});
