/** What docs/clients.md says of services, errors and limits is what there is. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../gen/kelp/v1/watch_pb.ts';
import { serverDefaults } from '../../src/limits.ts';
import { textsOf } from '../support/page-examples.ts';
import { startTestServer, temporaryDirectory } from '../support/test-server.ts';

const page = readFileSync('docs/clients.md', 'utf8');
const services = [AdminService, KvService, LeaseService, WatchService];

test('its retry policies name methods that there are, and none that writes', () => {
  const named = [...page.matchAll(/"service": "([\w.]+)", "method": "(\w+)"/g)].map(
    ([, service, method]) => `${service}/${method}`,
  );
  const methods = services.flatMap(({ typeName, methods }) =>
    methods.map(({ name }) => `${typeName}/${name}`),
  );
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((name) => !methods.includes(name))).toEqual([]);
  expect(
    named.filter((name) => /\/(?:Put|Delete|DeleteRange|Increment|Touch|Txn|Grant|Revoke)$/.test(name)),
  ).toEqual([]);
});

test('the reasons that it names are reasons of errors', () => {
  const named = page.match(/ERROR_REASON_\w+/g) ?? [];
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name) => !(name.replace(/^.*ERROR_REASON_/, '') in ErrorReason))).toEqual([]);
});

test('the sizes that it tells proxies are the defaults of the server', () => {
  const [, requestMiB, replyMiB] = /requests up to (\d+) MiB, replies up to (\d+) MiB/.exec(page) ?? [];
  expect(Number(requestMiB) * 1024 * 1024).toBe(serverDefaults.requestBytesMax);
  expect(Number(replyMiB) * 1024 * 1024).toBe(serverDefaults.replyBytesMax);
  expect(page).toContain(`client_max_body_size ${requestMiB}m`);
});

test('its example of data types runs, and prints what it should', async () => {
  const [example = ''] = textsOf(page.split('### Hashes, lists')[1] ?? '', 'ts');
  const { address } = await startTestServer();
  const client = resolve('src/client/index.ts');
  const file = join(await temporaryDirectory(), 'example.ts');
  const opening = `import { createClient } from '${client}';\nawait using client = createClient({ address: '${address}' });\n`;
  writeFileSync(file, opening + example);
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@kelpdb/source', file]);
  expect(stdout.split('\n').slice(0, 3)).toEqual([
    "Alice { name: 'Alice', age: '42' }",
    'first',
    expect.any(String),
  ]);
  expect(stdout).toMatch(/\nalice 310\nbob 120\n2\n$/);
});
