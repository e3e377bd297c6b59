/** The packages as they are published: what they hold, and that they work where nothing else is. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCollector } from '../support/fake-collector.ts';
import { KelpProcess } from '../cli/kelp-process.ts';
import { NODE_VERSION_MIN, nodeVersionFault } from '../../src/node-version.ts';
import { type Tarball, install, packAll, readJson, temporaryFolder } from './installed.ts';

const folder = temporaryFolder();
let kelpdb: Tarball;
let client: Tarball;
/** Projects with one of the packages each. */
let withKelpdb: string;
let withClient: string;

beforeAll(async () => {
  ({ kelpdb, client } = await packAll(folder));
  withKelpdb = await install(join(folder, 'with-kelpdb'), [kelpdb]);
  withClient = await install(join(folder, 'with-client'), [client]);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true }));

function kelp(...args: string[]): KelpProcess {
  return new KelpProcess(args, { main: join(withKelpdb, 'node_modules/.bin/kelp'), cwd: withKelpdb });
}

async function startServer(): Promise<string> {
  return kelp('serve', '--listen', '127.0.0.1:0', '--data-dir', temporaryFolderHere()).ready();
}

let folderCount = 0;
function temporaryFolderHere(): string {
  folderCount++;
  return join(folder, `data-${folderCount}`);
}

/** Runs a program of plain JavaScript in a project. @returns its output. */
function runScript(project: string, script: string): string {
  const path = join(project, 'script.js');
  writeFileSync(path, script);
  const { stdout, stderr, status } = spawnSync(process.execPath, [path], { cwd: project, encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout;
}

describe('what is packed', () => {
  test('is the built code with its types, the schema, the documents and the licence, and neither sources nor tests', () => {
    const names = (directory: string): string[] => readdirSync(directory).sort();
    expect(names(client.directory)).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
    expect(names(kelpdb.directory)).toEqual(
      expect.arrayContaining([
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'dist',
        'docs',
        'package.json',
        'proto',
      ]),
    );
    for (const { directory } of [kelpdb, client]) {
      const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
      expect(
        files.filter((file) =>
          /^(?!examples\/).*(?<!\.d)\.ts$|(?:^|\/)(?:test|bench(?!\/results(?:\/|$))|tools|node_modules)\//.test(
            file,
          ),
        ),
      ).toEqual([]);
      expect(readFileSync(join(directory, 'LICENSE'), 'utf8')).toBe(readFileSync('LICENSE', 'utf8'));
    }
  });

  test('says of both packages the same version, licence, Node.js and dependencies', () => {
    const { version, license, engines, dependencies = {} } = kelpdb.manifest;
    expect(client.manifest).toMatchObject({ version, license, engines });
    expect(engines).toEqual({ node: `>=${NODE_VERSION_MIN}.0` });
    expect(Object.keys(client.manifest.dependencies ?? {})).toEqual([
      '@bufbuild/protobuf',
      '@connectrpc/connect',
      '@opentelemetry/api',
    ]);
    expect(dependencies).toMatchObject(client.manifest.dependencies ?? {});
  });

  test('names the licence of each package whose code the command holds', () => {
    const licenses = readFileSync(join(kelpdb.directory, 'dist/kelp/LICENSES.txt'), 'utf8');
    const names = ['@bufbuild/protobuf', '@connectrpc/connect', '@opentelemetry/sdk-trace', 'commander'];
    for (const name of names) {
      expect(licenses).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
    expect(licenses).toContain('Copyright 2008 Google Inc.');
  });

  test('has a command in ASCII: V8 keeps its source, in twice the memory with one letter beyond Latin-1', () => {
    const folder = join(kelpdb.directory, 'dist/kelp');
    const files = readdirSync(folder).filter((name) => name.endsWith('.cjs'));
    expect(files).toContain('serve.cjs');
    const others = files.filter((name) => /[\u0080-\uffff]/.test(readFileSync(join(folder, name), 'utf8')));
    expect(others).toEqual([]);
  });

  test('has every file that its documents refer to', () => {
    const broken: string[] = [];
    let count = 0;
    for (const { directory } of [kelpdb, client]) {
      const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
      for (const file of files.filter((name) => name.endsWith('.md'))) {
        const text = readFileSync(join(directory, file), 'utf8').replace(/^```.*?^```$/gms, '');
        for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
          const [path = ''] = link.split('#');
          if (path === '' || /^[a-z]+:/.test(path)) continue;
          count++;
          if (!existsSync(join(directory, dirname(file), path))) broken.push(`${file}: ${link}`);
        }
      }
    }
    expect(broken).toEqual([]);
    expect(count).toBeGreaterThan(5);
  });
});

describe('installed, from plain JavaScript', { timeout: 120_000 }, () => {
  test('the command serves, puts and gets, and the store works in process', async () => {
    const address = await startServer();
    expect(await kelp('put', 'a', 'packed', '--address', address).ended).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await kelp('get', 'a', '--address', address).ended).toMatchObject({ code: 0, stdout: 'packed' });
    const script = `
      import { openStore } from 'kelpdb';
      import { createClient } from 'kelpdb/client';
      await using client = createClient({ address: '${address}' });
      const { entry } = await client.get('a');
      const store = await openStore({ dataDir: '${temporaryFolderHere()}' });
      await store.put('b', entry.value);
      process.stdout.write((await store.get('b')).entry.value);
      await store.close();`;
    expect(runScript(withKelpdb, script)).toBe('packed');
  });

  test('every command of the server and of files is there', async () => {
    const address = await startServer();
    const backup = join(folder, 'a.backup');
    for (const args of [['txn', '-'], ['scan'], ['lease', 'list'], ['status'], ['backup', backup]]) {
      const process = kelp(...args, '--address', address);
      process.child.stdin?.end('{"success": [{"put": {"key": "a", "value": "1"}}]}');
      expect(await process.ended, args.join(' ')).toMatchObject({ code: 0 });
    }
    for (const args of [
      ['verify', backup],
      ['restore', backup, '--data-dir', join(folder, 'restored')],
      ['log', join(folder, 'restored')],
    ]) {
      expect(await kelp(...args).ended, args.join(' ')).toMatchObject({ code: 0 });
    }
    const unreachable = await kelp('get', 'a', '--address', '127.0.0.1:1').ended;
    expect(unreachable).toMatchObject({ code: 3, stderr: expect.stringContaining('connection refused') });
  });

  test('the command exports the spans of its calls', async () => {
    const collector = await startCollector();
    const server = kelp(
      'serve',
      '--listen',
      '127.0.0.1:0',
      '--data-dir',
      temporaryFolderHere(),
      '--otlp-endpoint',
      collector.url,
    );
    const address = await server.ready();
    expect(await kelp('put', 'a', 'packed', '--address', address).ended).toMatchObject({
      code: 0,
      stderr: '',
    });
    const put = await collector.span('kelp.v1.KvService/Put');
    const flush = await collector.span('flush');
    expect(flush.traceId).toBe(put.traceId);
  });

  test('the client stands alone, without what only a server or a command needs', async () => {
    const address = await startServer();
    const script = `
      import { KelpError, createClient, isKelpError } from '@kelpdb/client';
      await using client = createClient({ address: '${address}' });
      await client.put('a', 'alone');
      console.log((await client.get('a')).entry.text());
      const error = await client.touch('none').catch((error) => error);
      console.log(error instanceof KelpError, isKelpError(error, 'keyNotFound'));`;
    expect(runScript(withClient, script)).toBe('alone\ntrue true\n');
    expect(readdirSync(join(withClient, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      '@bufbuild',
      '@connectrpc',
      '@kelpdb',
      '@opentelemetry',
      '@types',
      'undici-types',
    ]);
  });

  test.each(['kelpdb', '@kelpdb/client'])('the generated messages of %s need nothing of Node', (name) => {
    const project = name === 'kelpdb' ? withKelpdb : withClient;
    const names = ['admin', 'errors', 'kv', 'lease', 'types', 'watch'];
    const script = `
      import { registerHooks } from 'node:module';
      registerHooks({
        resolve(specifier, context, next) {
          const result = next(specifier, context);
          if (result.url.startsWith('node:')) throw new Error(specifier + ' is not for browsers');
          return result;
        },
      });
      const modules = await Promise.all(${JSON.stringify(names)}.map((each) => import(\`${name}/gen/kelp/v1/\${each}_pb.js\`)));
      const { create, toBinary } = await import('@bufbuild/protobuf');
      const { KvService, PutRequestSchema } = modules[2];
      console.log(KvService.method.put.input === PutRequestSchema);
      console.log(toBinary(PutRequestSchema, create(PutRequestSchema, { key: 'a' })).join());`;
    expect(runScript(project, script)).toBe('true\n10,1,97\n');
  });
});

describe('installed, from strict TypeScript', { timeout: 120_000 }, () => {
  /** The options of a careful user; nothing of the library "dom" unless asked for. */
  function check(project: string, source: string, options: readonly string[]): string {
    const path = join(project, 'program.ts');
    writeFileSync(path, source);
    const base = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--target', 'es2024'];
    const tsc = resolve('node_modules/typescript/bin/tsc');
    return spawnSync(process.execPath, [tsc, ...base, ...options, path], { cwd: project, encoding: 'utf8' })
      .stdout;
  }

  /** Names that a module of the sources exports, types apart from values. */
  function exportsOf(path: string): { types: string[]; values: string[] } {
    const types: string[] = [];
    const values: string[] = [];
    const source = readFileSync(path, 'utf8');
    for (const [, kind, list = ''] of source.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
      for (const name of list
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '')) {
        if (kind !== undefined || name.startsWith('type ')) types.push(name.replace('type ', ''));
        else values.push(name);
      }
    }
    expect(types.length).toBeGreaterThan(10);
    expect(values.length).toBeGreaterThan(1);
    return { types, values };
  }

  /** A program that uses every name. */
  function everyName(from: string, path: string): string {
    const { types, values } = exportsOf(path);
    return `
      import { ${values.join(', ')} } from '${from}';
      export type { ${types.join(', ')} } from '${from}';
      export const values: readonly unknown[] = [${values.join(', ')}];`;
  }

  const clientProgram = (from: string): string => `${everyName(from, 'src/client/index.ts')}
    import type { WatchMessage } from '${from}';
    await using client = createClient({ address: 'a', tls: { ca: new Uint8Array(1), rejectUnauthorized: true } });
    const { entry } = await client.get('a', { signal: AbortSignal.timeout(1), deadlineMs: 1 });
    export const shown: string | undefined = entry?.text();
    for await (const { key } of client.scan({ prefix: 'a' })) key.toUpperCase();
    const seen: WatchMessage[] = [];
    for await (const message of client.watch({ ranges: [{ key: 'a' }] })) seen.push(message);
    await using lease = (await client.leases.grant(1000)).keepAlive();
    export const status: number = (await client.admin.status()).keyCount + lease.id;
    // @ts-expect-error: a value is needed
    await client.put('a');
    try {
      await client.delete('a', { condition: { kind: 'mustExist' } });
    } catch (error) {
      if (isKelpError(error, 'conditionFailed')) error.details.currentModRevision.toFixed();
      if (error instanceof KelpError) error.code satisfies string;
    }`;

  const storeProgram = `${everyName('kelpdb', 'src/index.ts')}
    const store = await openStore({ dataDir: './data' });
    const { entry } = await store.get('a');
    export const value: Uint8Array | undefined = entry?.value;
    await store.close();`;

  const modes = [
    ['nodenext', ['--module', 'nodenext']],
    ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ] as const;

  test.each(modes)('every export type-checks under %s, without the library "dom"', (_, mode) => {
    const options = [...mode, '--lib', 'es2024', '--types', 'node'];
    expect(check(withClient, clientProgram('@kelpdb/client'), options)).toBe('');
    expect(check(withKelpdb, clientProgram('kelpdb/client'), options)).toBe('');
    expect(check(withKelpdb, storeProgram, options)).toBe('');
  });

  test.each(modes)(
    'the client type-checks under %s with the library "dom" in place of the types of Node',
    (_, mode) => {
      const options = [...mode, '--lib', 'es2024,esnext.disposable,dom,dom.asynciterable', '--types', ''];
      expect(check(withClient, clientProgram('@kelpdb/client'), options)).toBe('');
    },
  );

  test.each(modes)('a transport of Connect is taken under %s', (_, mode) => {
    const program = `
      import { createRouterTransport } from '@connectrpc/connect';
      import { createClient } from '@kelpdb/client';
      const transport = createRouterTransport(() => undefined);
      export const client = createClient({ address: 'a', transport });
      // @ts-expect-error: that is no transport
      createClient({ address: 'a', transport: {} });`;
    expect(check(withClient, program, [...mode, '--lib', 'es2024,dom', '--types', 'node'])).toBe('');
  });

  test.each(modes)('the generated messages type-check in a browser program under %s', (_, mode) => {
    const program = `
      import { type Client, createClient, type Transport } from '@connectrpc/connect';
      import { KvService, type GetResponse } from '@kelpdb/client/gen/kelp/v1/kv_pb.js';
      import { WatchService } from '@kelpdb/client/gen/kelp/v1/watch_pb.js';
      declare const transport: Transport;
      const kv: Client<typeof KvService> = createClient(KvService, transport);
      export const reply: Promise<GetResponse> = kv.get({ key: 'a' });
      for await (const { message } of createClient(WatchService, transport).watch({})) message.case?.toUpperCase();`;
    const options = [...mode, '--lib', 'es2024,dom,dom.iterable', '--types', ''];
    expect(check(withClient, program, options)).toBe('');
  });
});

describe('what the built command loads', { timeout: 120_000 }, () => {
  interface Loaded {
    readonly files: string[];
    readonly internals: string[];
  }

  /** The files, within the package, and the modules of Node's own that a command has loaded at its end. */
  async function loadedBy(...args: string[]): Promise<Loaded> {
    const hook = join(folder, 'loaded.cjs');
    const list = join(folder, 'loaded.json');
    const root = join(withKelpdb, 'node_modules');
    writeFileSync(
      hook,
      `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(list)}, JSON.stringify({
        files: Object.keys(require.cache).filter((path) => path !== __filename),
        internals: process.moduleLoadList,
      })));`,
    );
    const environment = { NODE_OPTIONS: `--require=${hook}` };
    const main = join(root, 'kelpdb/dist/kelp/main.cjs');
    const { code, stderr } = await new KelpProcess(args, { main, cwd: withKelpdb, environment }).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { files, internals } = readJson(list) as Loaded;
    return { files: files.map((path) => path.replace(`${root}/kelpdb/dist/kelp/`, '')), internals };
  }

  test('the version and the help need no client, and nothing outside of the command', async () => {
    for (const args of [['--version'], ['get', '--help'], ['serve', '--help']]) {
      const { files, internals } = await loadedBy(...args);
      expect(files.length).toBeLessThanOrEqual(4);
      expect(files.filter((path) => path.includes('/') || path === 'client.cjs')).toEqual([]);
      expect(internals.filter((name) => /NativeModule (?:http2?|child_process|tls)$/.test(name))).toEqual([]);
    }
  });

  test('a call loads few files, neither HTTP of Node nor fetch nor child processes, and nothing of a server', async () => {
    const address = await startServer();
    await loadedBy('put', 'a', '1', '--address', address);
    const { files, internals } = await loadedBy('get', 'a', '--address', address);
    expect(files).toContain('client.cjs');
    expect(files.length).toBeLessThanOrEqual(12);
    expect(files.filter((path) => path.includes('/') || path === 'run-server.cjs')).toEqual([]);
    expect(
      internals.filter((name) => /undici|http2?$|child_process$|sqlite$|worker_threads$/.test(name)),
    ).toEqual([]);
  });
});

describe('an older Node', { timeout: 120_000 }, () => {
  test('is told which one is needed', () => {
    expect(nodeVersionFault('kelp', '20.19.2')).toBe('kelp needs Node.js 24.15 or later, this is v20.19.2');
    expect(nodeVersionFault('kelp', '24.14.1')).toBe('kelp needs Node.js 24.15 or later, this is v24.14.1');
    expect(nodeVersionFault('kelp', '24.15.0')).toBeUndefined();
    expect(nodeVersionFault('kelp', '25.0.0')).toBeUndefined();
    expect(nodeVersionFault('kelp', '100.0.0')).toBeUndefined();
  });

  /** The first Node on the path that is too old, if the machine has one. */
  const olderNode = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'node'))
    .find((path) => {
      if (!existsSync(path)) return false;
      const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
      return nodeVersionFault('', stdout.trim().slice(1)) !== undefined;
    });

  test.runIf(olderNode !== undefined)('gets that from the command, the client and the library', () => {
    const main = join(withKelpdb, 'node_modules/kelpdb/dist/kelp/main.cjs');
    const command = spawnSync(olderNode ?? '', [main, 'get', 'a'], { encoding: 'utf8' });
    expect(command).toMatchObject({ status: 4, stdout: '' });
    expect(command.stderr).toMatch(/^kelp needs Node\.js 24\.15 or later, this is v\d+\.\d+\.\d+\n$/);
    for (const [project, name] of [
      [withClient, '@kelpdb/client'],
      [withKelpdb, 'kelpdb/client'],
      [withKelpdb, 'kelpdb'],
    ]) {
      const script = `import('${name}').catch((error) => console.log(error.message));`;
      const program = spawnSync(olderNode ?? '', ['--eval', script], { cwd: project, encoding: 'utf8' });
      expect(program.stdout, name).toMatch(/^KelpDB needs Node\.js 24\.15 or later, this is v/);
    }
  });

  test('reads the command up to the check', () => {
    const main = readFileSync(join(kelpdb.directory, 'dist/kelp/main.cjs'), 'utf8');
    const required = [...main.matchAll(/require\("([^"]*)"\)/g)].map(([, name]) => name);
    expect(required).toEqual(['node:fs', 'node:module', 'node:path', './start.cjs']);
    expect(main).not.toMatch(/\bawait\b|\?\?|\?\.|#\w+\s*[=(;]/);
  });
});
