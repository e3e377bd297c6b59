/** A server for clients of Redis that others have written: its port, users where a test wants them, and starts at the same port. */
import { resolve } from 'node:path';
import { startTestServer, type TestServer } from '../../support/test-server.ts';

export const tlsFiles = {
  cert: resolve('test/support/tls/cert.pem'),
  key: resolve('test/support/tls/key.pem'),
};

export interface RedisDoor {
  readonly server: TestServer;
  readonly port: number;
}

export async function openDoor(flags: Readonly<Record<string, string>> = {}): Promise<RedisDoor> {
  const server = await startTestServer({ flags: { 'redis-listen': '127.0.0.1:0', ...flags } });
  return { server, port: Number(new URL(`tcp://${server.redisAddress}`).port) };
}

/** With users: `root`, who may do all, and `reader`, who may read the keys that begin with `r:`. */
export async function openDoorWithUsers(): Promise<RedisDoor> {
  const door = await openDoor();
  const call = async (method: string, body: object, authorization = ''): Promise<void> => {
    const response = await fetch(`${door.server.url}/kelp.v1.AccessService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === '' ? {} : { authorization }) },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method}: ${await response.text()}`);
  };
  await call('CreateUser', { name: 'root', password: 'secret of root' });
  const asRoot = `Basic ${Buffer.from('root:secret of root').toString('base64')}`;
  await call('CreateRole', { name: 'reading' }, asRoot);
  const grant = { permission: 'PERMISSION_READ', keys: { prefix: Buffer.from('r:').toString('base64') } };
  await call('AddGrant', { role: 'reading', grant }, asRoot);
  await call('CreateUser', { name: 'reader', password: 'secret of reader', roles: ['reading'] }, asRoot);
  return door;
}
