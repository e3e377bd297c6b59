/** The README's cluster as it is typed: three members of etcd and three nodes on one machine, on other ports than there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hasRealEtcd } from '../server/etcd/support/real-etcd.ts';
import { freePort, isFree } from '../support/free-port.ts';
import { ownEnvironment } from '../support/fresh-clone.ts';
import { textsOf } from '../support/page-examples.ts';
import { temporaryDirectory } from '../support/test-server.ts';

const readme = readFileSync('README.md', 'utf8');

const WRITER = /^writer +(\S+), epoch/m;

/** What ports begin with that end with 1, 2 and 3, and no others that were given. */
async function freeTen(given: ReadonlySet<string>): Promise<string> {
  for (;;) {
    const ten = String(await freePort()).slice(0, -1);
    if (given.has(ten)) continue;
    const areFree = await Promise.all([1, 2, 3].map((end) => isFree(Number(`${ten}${end}`))));
    if (areFree.every(Boolean)) return ten;
  }
}

test.runIf(hasRealEtcd)(
  'the commands of the README make a cluster, whose nodes know each other',
  { timeout: 180_000 },
  async () => {
    const block = textsOf(readme, 'sh').find((text) => text.includes('kelp cluster init')) ?? '';
    const tens = new Map<string, string>();
    for (const ten of ['237', '238', '738']) {
      expect(block).toContain(`:${ten}`);
      tens.set(ten, await freeTen(new Set(tens.values())));
    }
    const commands = block.replace(/:(237|238|738)(?=[123$])/g, (_, ten: string) => `:${tens.get(ten)}`);
    const lines = commands.trimEnd().split('\n');
    const status = lines.pop() ?? '';
    expect(status).toMatch(/^kelp cluster status/);

    const folder = await temporaryDirectory();
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const main = join(process.cwd(), 'src/cli/main.ts');
    writeFileSync(join(bin, 'kelp'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
    chmodSync(join(bin, 'kelp'), 0o755);
    const env = { ...ownEnvironment(), PATH: `${bin}:${process.env['PATH']}` };
    const run = async (script: string): Promise<{ code: number | null; output: string }> => {
      // A group of its own, by which all that it leaves running is ended.
      const shell = spawn('sh', ['-c', `{ ${script}\n} > out 2>&1`], {
        cwd: folder,
        env,
        stdio: 'ignore',
        detached: true,
      });
      onTestFinished(() => {
        try {
          process.kill(-(shell.pid ?? 0), 'SIGKILL');
        } catch {
          // Nothing of it runs any more.
        }
      });
      const [code] = (await once(shell, 'exit')) as [number | null];
      return { code, output: readFileSync(join(folder, 'out'), 'utf8') };
    };
    const logAt = lines.findIndex((line) => line.startsWith('log='));
    const [log = '', init = '', ...rest] = lines.slice(logAt);
    expect(init).toMatch(/^kelp cluster init/);
    expect((await run(lines.slice(0, logAt).join('\n'))).code).toBe(0);
    // It waits for etcd by itself, but not for as long as a busy machine takes.
    await expect
      .poll(async () => (await run(`${log}\n${init} --if-missing`)).output, { timeout: 60_000 })
      .toContain('the shared log at etcd://');
    expect((await run([log, ...rest].join('\n'))).code).toBe(0);
    const told = async (command: string): Promise<string> => (await run(`${command} --timeout 20s`)).output;
    await expect.poll(() => told(status), { timeout: 120_000 }).toMatch(WRITER);
    const [, writer = ''] = WRITER.exec(await told(status)) ?? [];
    await expect
      .poll(() => told(`kelp cluster status --address ${writer}`), { timeout: 60_000 })
      .toMatch(/, the writer\n[^]*follower[^]*follower/);
  },
);
