/** The Go client: its own tests, against real servers, the examples of its README, and a lock that it shares with the TypeScript client. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { Authority } from '../../support/certificates.ts';
import { found } from '../../support/installed.ts';
import { blocksOf } from '../../support/page-examples.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { GoWorkspace, isGoClientBuildable } from './go-workspace.ts';

const run = promisify(execFile);
const PASSWORD = 'a word of the Go client';

const canGenerate = found(
  'protoc and its plugin for Go',
  ['/usr/bin/protoc', '/usr/bin/protoc-gen-go'].every((path) => existsSync(path)),
);

test.skipIf(!canGenerate)(
  'its generated code is what clients/go/generate.sh makes',
  { timeout: 120_000 },
  async () => {
    const fresh = join(await temporaryDirectory(), 'gen');
    await run('clients/go/generate.sh', [fresh]);
    const files = async (folder: string): Promise<Record<string, string>> => {
      const below = join(folder, 'go/kelp/v1');
      const names = (await readdir(below)).sort();
      return Object.fromEntries(
        await Promise.all(
          names.map(async (name) => [name, await readFile(join(below, name), 'utf8')] as const),
        ),
      );
    };
    expect(await files('clients/go/gen')).toEqual(await files(fresh));
  },
);

describe.skipIf(!isGoClientBuildable)('the client that Go builds', () => {
  let workspace: GoWorkspace;

  beforeAll(async () => {
    workspace = await GoWorkspace.make();
  });
  afterAll(() => workspace.remove());

  test('is formatted, and go vet has nothing to say', { timeout: 300_000 }, async () => {
    const sources = (await readdir('clients/go')).filter((name) => name.endsWith('.go'));
    const unformatted = await run('/usr/bin/gofmt', ['-l', 'conformance', ...sources], { cwd: 'clients/go' });
    expect(unformatted.stdout).toBe('');
    await workspace.go(workspace.directory, ['vet', 'kelp', 'kelp/conformance']);
  });

  test('passes its own tests', { timeout: 600_000 }, async () => {
    const env = await closedServer();
    const kelp = [process.execPath, resolve('src/cli/main.ts')].join('\t');
    const { stdout } = await workspace.go(
      workspace.directory,
      ['test', '-count=1', '-timeout=570s', 'kelp'],
      { ...env, TEST_KELP: kelp },
    );
    expect(stdout).toMatch(/^ok/);
  });

  test('runs the examples of its README as they say', { timeout: 300_000 }, async () => {
    const blocks = blocksOf(await readFile('clients/go/README.md', 'utf8'));
    const examples = blocks.flatMap(({ language, text }, index) =>
      language === 'go' ? [{ text, output: blocks[index + 1]?.text }] : [],
    );
    expect(examples.length).toBe(3);
    for (const [index, { text, output }] of examples.entries()) {
      const { address } = await startTestServer();
      const folder = join(workspace.directory, 'src', `example-${index}`);
      await mkdir(folder);
      await writeFile(join(folder, 'main.go'), text);
      const { stdout: formatted } = await run('/usr/bin/gofmt', [join(folder, 'main.go')]);
      expect(text).toBe(formatted);
      const { stdout } = await workspace.go(folder, ['run', '.'], { KELP_ADDRESS: address });
      expect(stdout).toBe(output);
    }
  });

  test(
    'contends with the TypeScript client for one lock, over kills of its holder',
    { timeout: 300_000 },
    async () => {
      const { address } = await startTestServer();
      const program = await workspace.build('conformance');
      const client = createClient({ address });
      onTestFinished(() => client.close());
      const name = 'locks/shared';
      const ttlMs = 2000;
      let token = 0;
      for (let turn = 0; turn < 3; turn++) {
        const held = await client.recipes.lock(name, { ttlMs });
        expect(held.token).toBeGreaterThan(token);
        const go = startDriver(program);
        await go.ask({ op: 'open', addresses: [address] });
        const locked = go.ask({ op: 'lock', name, as: 'it', ttlMs });
        await waiting(client, name, 2);
        await held.release();
        const given = (await locked) as { readonly token: number };
        expect(given.token).toBeGreaterThan(held.token);
        expect(await client.recipes.tryLock(name, { ttlMs })).toBeUndefined();
        const guarded = { op: 'txn', guards: ['it'], success: [{ op: 'put', key: 'register', value: 'go' }] };
        expect(await go.ask(guarded)).toMatchObject({ succeeded: true });
        // One that asks now has it when the lease of the killed holder is over, and no earlier.
        const next = client.recipes.lock(name, { ttlMs });
        await waiting(client, name, 2);
        await go.kill();
        const after = await next;
        token = after.token;
        expect(token).toBeGreaterThan(given.token);
        await after.release();
      }
    },
  );
});

/** Waits until so many hold or wait. */
async function waiting(client: ReturnType<typeof createClient>, name: string, count: number): Promise<void> {
  const prefix = `${name}/~lock/`;
  const watch = client.watch({ ranges: [{ prefix }], includeCurrent: true });
  for await (const message of watch) {
    if (message.kind === 'progress') continue;
    if ((await client.count({ prefix })).count >= count) return;
  }
}

/** A server with TLS whose access is closed, for as long as the test runs. */
async function closedServer(): Promise<Record<string, string>> {
  const directory = await temporaryDirectory();
  const authority = new Authority();
  const { cert, key } = authority.server();
  const file = async (name: string, text: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const ca = await file('ca.pem', authority.identity.cert);
  const flags = { 'tls-cert': await file('cert.pem', cert), 'tls-key': await file('key.pem', key) };
  const { url, address } = await startTestServer({ flags });
  const open = createClient({ address: url, tls: { ca: authority.identity.cert } });
  await open.access.createRole('own');
  await open.access.addGrant('own', { permission: 'readwrite', prefix: 'own/' });
  await open.access.createUser('user', { password: PASSWORD, roles: ['own'] });
  await open.access.createUser('root', { password: PASSWORD });
  open.close();
  const credentials = { user: 'root', password: PASSWORD };
  const root = createClient({ address: url, tls: { ca: authority.identity.cert }, credentials });
  onTestFinished(() => root.close());
  const { secret } = await root.access.createToken('go', { user: 'user' });
  return { TEST_CLOSED: address, TEST_CA: ca, TEST_PASSWORD: PASSWORD, TEST_TOKEN: secret };
}

interface Answer {
  readonly id: number;
  readonly ok?: object;
  readonly error?: object;
}

interface Driver {
  /** Rejects when the answer is an error, or the process ends before it. */
  ask(request: object): Promise<object>;
  kill(): Promise<void>;
}

/** The driver of the conformance script as a process. */
function startDriver(program: string): Driver {
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waits = new Map<number, PromiseWithResolvers<object>>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, ok, error } = JSON.parse(line) as Answer;
    if (ok !== undefined) waits.get(id)?.resolve(ok);
    else waits.get(id)?.reject(new Error(JSON.stringify(error)));
    waits.delete(id);
  });
  const ended = new Promise<void>((end) => child.once('close', () => end()));
  void ended.then(() => {
    for (const wait of waits.values()) wait.reject(new Error('the driver has ended'));
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  let asked = 0;
  return {
    kill,
    async ask(request) {
      const id = ++asked;
      const wait = Promise.withResolvers<object>();
      waits.set(id, wait);
      child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
      return wait.promise;
    },
  };
}
