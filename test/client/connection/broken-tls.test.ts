/** What becomes of a call whose answer is damaged on a connection with TLS: it may have had its effect. */
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { startTestServer } from '../../support/test-server.ts';
import { FakePace } from '../support/fake-server.ts';

const certPath = join(import.meta.dirname, '../../support/tls/cert.pem');
const keyPath = join(import.meta.dirname, '../../support/tls/key.pem');

test('a write is not made again, and the next call goes over another connection', async () => {
  const { address } = await startTestServer({ flags: { 'tls-cert': certPath, 'tls-key': keyPath } });
  const proxy = await Proxy.start(Number(address.slice(address.lastIndexOf(':') + 1)));
  const tls = { ca: readFileSync(certPath, 'utf8'), servername: 'localhost' };
  const client = createClient({ address: `https://127.0.0.1:${proxy.port}`, tls }, new FakePace());
  onTestFinished(() => client.close());
  await client.increment('n', 1);
  proxy.damageNext();
  await expect(client.increment('n', 1)).rejects.toMatchObject({
    code: 'unavailable',
    mayHaveTakenEffect: true,
  });
  expect((await client.get('n')).entry?.text()).toBe('2');
  expect(proxy.connectionCount).toBe(2);
});

/** Hands bytes on both ways, and can change one of them on their way to the client. */
class Proxy {
  connectionCount = 0;
  readonly port: number;
  #isNextDamaged = false;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(targetPort: number): Promise<Proxy> {
    let proxy: Proxy | undefined;
    const server = createServer((socket) => proxy?.take(socket, targetPort));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return (proxy = new Proxy((server.address() as AddressInfo).port));
  }

  damageNext(): void {
    this.#isNextDamaged = true;
  }

  take(client: Socket, targetPort: number): void {
    this.connectionCount++;
    const server = connect(targetPort, '127.0.0.1');
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => {
      if (this.#isNextDamaged) bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
      this.#isNextDamaged = false;
      client.write(bytes);
    });
  }
}
