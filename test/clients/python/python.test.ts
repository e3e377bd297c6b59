/** The Python client: its own tests, against real servers, the examples of its README, and a lock that it shares with the TypeScript client. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { found } from '../../support/installed.ts';
import { textsOf } from '../../support/page-examples.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { env, isPythonClientUsable, python } from './python.ts';

const run = promisify(execFile);
const folder = 'clients/python';

test.skipIf(!found('protoc', existsSync('/usr/bin/protoc')))(
  'its messages are what clients/python/generate.sh makes',
  { timeout: 120_000 },
  async () => {
    const fresh = join(await temporaryDirectory(), 'proto');
    await run(`${folder}/generate.sh`, [fresh]);
    const files = async (path: string): Promise<Record<string, string>> => {
      const names = (await readdir(path)).filter((name) => name.includes('.py')).sort();
      const texts = names.map(async (name) => [name, await readFile(join(path, name), 'utf8')] as const);
      return Object.fromEntries(await Promise.all(texts));
    };
    expect(await files(`${folder}/kelpdb/_proto`)).toEqual(await files(fresh));
  },
);

describe.skipIf(!isPythonClientUsable)('with the grpcio of Debian', () => {
  test('the examples of its README run', { timeout: 120_000 }, async () => {
    const { address } = await startTestServer();
    const examples = textsOf(readFileSync(`${folder}/README.md`, 'utf8'), 'python');
    const outputs: string[] = [];
    for (const example of examples) {
      const text = example.replaceAll('127.0.0.1:7379', address);
      outputs.push((await run(python, ['-c', text], { cwd: folder, env })).stdout);
    }
    expect(outputs).toEqual([
      "it is at 1 more\nconfig/theme light\npresent: 1\n[('delete', 'config/theme')]\n",
      "True new\nTrue True\n{'host': 'a'}\n",
    ]);
  });

  test.each(['AsyncTest', 'PlainTest'])('its own tests pass: %s', { timeout: 600_000 }, async (name) => {
    const { stderr } = await run(python, ['-B', '-m', 'unittest', `tests.test_client.${name}`], {
      cwd: folder,
      env,
    });
    // It exits with 0, too, where it has found none.
    expect(stderr).toMatch(/^Ran [1-9]\d* tests in [\d.]+s\n\nOK$/m);
  });

  test('a lock of one that is killed goes to a TypeScript client', { timeout: 120_000 }, async () => {
    const { address } = await startTestServer();
    await using client = createClient({ address });
    const program = `
import kelpdb
client = kelpdb.Client("${address}")
held = client.lock("l", ttl=2)
print(held.token, flush=True)
held.wait_lost()
`;
    const holder = spawn(python, ['-c', program], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    const [printed] = (await once(holder.stdout, 'data')) as [Buffer];
    const token = Number(printed.toString());
    expect(await client.recipes.tryLock('l')).toBeUndefined();
    const waiting = client.recipes.lock('l');
    holder.kill('SIGKILL');
    await using lock = await waiting;
    expect(lock.token).toBeGreaterThan(token);

    // And Python waits for the one of TypeScript.
    const late = `
import kelpdb
with kelpdb.Client("${address}") as client:
    try:
        client.lock("l", timeout=0.5)
    except kelpdb.DeadlineExceeded:
        print("held")
`;
    expect((await run(python, ['-c', late], { cwd: folder, env })).stdout).toBe('held\n');
  });
});
