/** What docs/clients.md says of services, errors and limits is what there is. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { AdminService } from '../../gen/kelp/v1/admin_pb.ts';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../gen/kelp/v1/lease_pb.ts';
import { WatchService } from '../../gen/kelp/v1/watch_pb.ts';
import { serverDefaults } from '../../src/limits.ts';

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
