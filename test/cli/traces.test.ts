/** What `kelp serve` loads and does for traces, when it is asked to and when it is not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startCollector } from '../support/fake-collector.ts';
import { temporaryDirectory } from '../support/test-server.ts';
import { KelpProcess } from './kelp-process.ts';

interface Served {
  /** The packages of OpenTelemetry that the server has loaded by its end. */
  readonly packages: readonly string[];
  readonly stderr: string;
}

/** Runs a server for one put. */
async function servePut(hooks: readonly URL[], ...args: string[]): Promise<Served> {
  const directory = await temporaryDirectory();
  const list = join(directory, 'loaded');
  const loaded = new URL('./loaded-modules.ts', import.meta.url);
  const imports = [loaded, ...hooks].map(({ href }) => `--import=${href}`);
  const environment = { NODE_OPTIONS: imports.join(' '), LOADED_MODULES: list };
  const where = ['--listen', '127.0.0.1:0', '--data-dir', join(directory, 'data')];
  const server = new KelpProcess(['serve', ...where, ...args], { environment });
  const address = await server.ready();
  expect(await new KelpProcess(['put', 'a', '1', '--address', address]).ended).toMatchObject({ code: 0 });
  server.child.kill('SIGTERM');
  const { stderr } = await server.ended;
  const names = readFileSync(list, 'utf8').matchAll(/node_modules\/(@opentelemetry\/[^/]+)/g);
  return { packages: [...new Set([...names].map(([, name = '']) => name))].sort(), stderr };
}

test('a server that is not asked for spans loads nothing but the API, which makes none', async () => {
  expect(await servePut([])).toEqual({ packages: ['@opentelemetry/api'], stderr: '' });
});

test('a server with an endpoint sends its spans there', async () => {
  const collector = await startCollector();
  const { packages } = await servePut([], '--otlp-endpoint', collector.url);
  expect(packages).toContain('@opentelemetry/sdk-trace');
  expect(collector.spans.map(({ name }) => name)).toContain('kelp.v1.KvService/Put');
});

test('a server makes spans by a tracer that was registered before it', async () => {
  const { stderr } = await servePut([new URL('./registered-tracer.ts', import.meta.url)]);
  expect(stderr.split('\n').sort()).toEqual(['', 'span commit', 'span flush', 'span kelp.v1.KvService/Put']);
});
