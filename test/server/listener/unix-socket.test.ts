/** A server at a socket of its machine that a file stands for. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { loadConfig } from '../../../src/server/config/config.ts';
import { Kelp } from '../../cli/kelp.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';

async function socketPath(): Promise<string> {
  return join(await temporaryDirectory(), 'kelp.sock');
}

test('clients and commands reach it by its path, and the file goes when it stops', async () => {
  const path = await socketPath();
  const server = await startTestServer({ flags: { listen: `unix:${path}` } });
  expect(server.address).toBe(`unix:${path}`);
  const client = createClient({ address: server.address });
  onTestFinished(() => client.close());
  await client.put('a', 'one');
  expect((await client.get('a')).entry?.text()).toBe('one');
  const watch = client.watch({ ranges: [{ key: 'a' }], includeCurrent: true });
  expect(await watch.next()).toMatchObject({ value: { kind: 'current' } });
  await watch.return();
  expect(await new Kelp(server.address).run(['get', 'a'])).toMatchObject({ code: 0, stdout: 'one' });
  client.close();
  await server.stop();
  expect(existsSync(path)).toBe(false);
});

test('without a server a client says so', async () => {
  const path = await socketPath();
  const client = createClient({ address: `unix:${path}`, retries: 0 });
  await expect(client.get('a')).rejects.toMatchObject({
    code: 'unavailable',
    message: `can't reach the server at unix:${path}: there is no such socket; is it running?`,
  });
});

describe('a start where there is a file already', () => {
  test('takes the place of a server that was killed', async () => {
    const path = await socketPath();
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
    const killed = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(killed.stdout, 'data');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(existsSync(path)).toBe(true);
    const { address } = await startTestServer({ flags: { listen: `unix:${path}` } });
    const client = createClient({ address });
    onTestFinished(() => client.close());
    expect(await client.get('a')).toMatchObject({ entry: undefined });
  });

  test('is refused where another process listens', async () => {
    const path = await socketPath();
    const other = createServer().listen(path);
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    await expect(startTestServer({ flags: { listen: `unix:${path}` } })).rejects.toThrow(
      `can't listen on unix:${path}: another process listens there`,
    );
    expect(existsSync(path)).toBe(true);
  });

  test('is refused where it is no socket, and leaves it as it is', async () => {
    const path = await socketPath();
    writeFileSync(path, 'mine');
    await expect(startTestServer({ flags: { listen: `unix:${path}` } })).rejects.toThrow('no socket');
    expect(existsSync(path)).toBe(true);
  });
});

test('with TLS it is refused, since no client would speak it there', async () => {
  const flags = { listen: 'unix:/run/kelp.sock', 'tls-cert': 'a.pem', 'tls-key': 'b.pem' };
  await expect(loadConfig({ flags })).rejects.toThrow(/without TLS/);
});
