/** Passwords and tokens go through a server and are nowhere afterwards: not in what it tells, and not in what it keeps. */
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { openUncheckedStore } from '../../../src/kv/open-store.ts';
import { Kelp } from '../../cli/kelp.ts';
import { startCollector } from '../../support/fake-collector.ts';
import { optionsOfEngine } from '../../support/test-engine.ts';
import { startTestServer } from '../../support/test-server.ts';
import { basic, bearer, clientsOf, doors } from './access-client.ts';

const passwords = {
  root: 'Root-Passw0rd-äé',
  ann: 'Ann-Passw0rd-one',
  next: 'Ann-Passw0rd-two',
  wrong: 'Guessed-Passw0rd',
  mistyped: 'Mistyped-Passw0rd',
};
const wrongToken = 'Guessed-Token_that-is_43-characters-long-xx';

/** A secret as it might stand somewhere, in each of its forms. */
function formsOf(secret: string, userName = ''): string[] {
  const bytes = Buffer.from(secret);
  const texts = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
  const encoded = (['base64', 'base64url', 'hex'] as const).map((form) =>
    bytes.toString(form).replace(/=+$/, ''),
  );
  const shifted = Buffer.from(`${userName}:${secret}`).toString('base64').replace(/=+$/, '');
  return [...texts, ...encoded, bytes.toString('hex').toUpperCase(), shifted];
}

function found(where: Readonly<Record<string, string | Buffer>>, forms: readonly string[]): string[] {
  return Object.entries(where).flatMap(([place, content]) =>
    forms.filter((form) => content.includes(form)).map((form) => `${form} in ${place}`),
  );
}

async function filesIn(folder: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name);
    if ((await stat(path)).isFile()) files[path] = await readFile(path);
  }
  return files;
}

/** What a call tells its client, whether it succeeds or not. */
async function told(call: Promise<unknown>): Promise<string> {
  try {
    return String(await call);
  } catch (error) {
    const { message, metadata, details } = ConnectError.from(error);
    return [message, ...metadata].join('\n') + JSON.stringify(details);
  }
}

test('no password and no token is in a log, a metric, an error, a span, a file, or what commands print of these', async () => {
  const collector = await startCollector();
  const server = await startTestServer({ flags: { 'otlp-endpoint': collector.url, fsync: 'always' } });
  const { url, dataDir } = server;
  const asRoot = basic('root', passwords.root);
  await clientsOf(url).access.createUser({ name: 'root', password: passwords.root });
  const root = clientsOf(url, asRoot);
  await root.access.createUser({ name: 'ann', password: passwords.ann });
  const { secret } = await root.access.createToken({ name: 'ci', user: 'ann' });
  const texts: string[] = [];
  const ask = async (path: string, authorization: string, init: RequestInit = {}): Promise<void> => {
    const headers = { authorization, 'content-type': 'application/json' };
    const reply = await fetch(`${url}${path}`, { ...init, headers });
    texts.push([...reply.headers].join('\n') + (await reply.text()));
  };
  const shown = [
    asRoot,
    basic('ann', passwords.ann),
    basic('ann', passwords.wrong),
    basic(passwords.root.slice(0, 4), passwords.wrong),
    bearer(secret),
    bearer(wrongToken),
    // The wrong way round, or cut off.
    `Bearer ${passwords.mistyped} ${secret}`,
    `Basic ${passwords.mistyped}`,
    `Token ${secret}`,
  ];
  const asked = shown.flatMap((authorization) => [
    ...doors.map(async (door) => {
      const { access, kv, admin } = clientsOf(url, authorization, door);
      const calls = [access.whoAmI({}), kv.get({ key: 'a' }), admin.status({})];
      texts.push(...(await Promise.all(calls.map(told))));
    }),
    ...['/v1/keys/a', '/v1/status', '/metrics', '/v1/nothing'].map((path) => ask(path, authorization)),
  ]);
  await Promise.all(asked);
  for (const door of doors) {
    const { access } = clientsOf(url, asRoot, door);
    texts.push(
      await told(access.createUser({ name: 'ann', password: passwords.mistyped })),
      await told(access.createUser({ name: 'a b', password: passwords.mistyped })),
      await told(access.setPassword({ name: 'none', password: passwords.mistyped })),
      await told(access.setPassword({ name: 'ann', password: passwords.mistyped.repeat(100) })),
      await told(access.setPassword({ name: 'ann', password: passwords.next })),
    );
  }
  // Requests that are no requests: an error must not show what it can't read.
  for (const body of [
    `{"name":"x","password":["${passwords.mistyped}"]}`,
    `{"name":"x","password":{"${passwords.mistyped}":1}}`,
    `{"name":"x","password":"${passwords.mistyped}`,
    `{"name":"x","passwort":"${passwords.mistyped}"}`,
    `{"name":"x","password":"\\ud800${passwords.mistyped}"}`,
    `{"name":"x","password":"${passwords.mistyped}","password":"${passwords.mistyped}"}`,
  ]) {
    await ask('/kelp.v1.AccessService/CreateUser', asRoot, { method: 'POST', body });
  }
  await root.admin.snapshot({});
  const metrics = await (await fetch(`${url}/metrics`, { headers: { authorization: asRoot } })).text();
  const backup: Uint8Array[] = [];
  for await (const { data } of root.admin.backup({})) backup.push(data);
  await server.stop();

  // Blocks of snapshots and of runs are compressed, so what they hold is looked at in the store that they make.
  const store = await openUncheckedStore({ dataDir, ...optionsOfEngine() });
  const kept: Buffer[] = [];
  store.readVisible((view) =>
    view.scan({ start: new Uint8Array(0), end: undefined }, false, (entry) => {
      kept.push(Buffer.from(entry.copyKey()), Buffer.from(entry.copyValue()));
      return true;
    }),
  );
  await store.close();
  expect(kept.length).toBeGreaterThan(5);

  const command = new Kelp('127.0.0.1:1');
  const printed = [
    await command.text('log', dataDir, '--values'),
    await command.text('log', dataDir, '--values', '--json'),
    await command.text('verify', dataDir),
    await command.text('verify', dataDir, '--json'),
  ];
  expect(printed[0]).toContain('access   user ann  (written)');
  const everywhere = {
    log: JSON.stringify(server.log.lines),
    metrics,
    errors: texts.join('\n'),
    spans: Buffer.concat(collector.bodies),
    store: Buffer.concat(kept),
    backup: Buffer.concat(backup),
    printed: printed.join('\n'),
    ...(await filesIn(dataDir)),
  };
  expect(everywhere.spans.length).toBeGreaterThan(1000);
  expect(everywhere.log).toContain('wrongPassword');
  const secrets = [...Object.values(passwords), secret, wrongToken];
  expect(
    found(
      everywhere,
      secrets.flatMap((each) => [...formsOf(each), ...formsOf(each, 'ann'), ...formsOf(each, 'root')]),
    ),
  ).toEqual([]);

  // The hash of a token lies in the store, and is in nothing that is told.
  const hash = createHash('sha256').update(secret).digest();
  expect(everywhere.store.includes(hash)).toBe(true);
  const { log, errors, spans } = everywhere;
  const hashForms = [hash.toString('hex'), hash.toString('base64'), hash.toString('base64url')];
  expect(found({ log, metrics, errors, spans, printed: everywhere.printed }, hashForms)).toEqual([]);
});
