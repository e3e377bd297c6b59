/** The certificate of a server is replaced while clients call it, over kept connections and new ones. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from '../../../src/client/index.ts';
import { Authority, type Identity } from '../../support/certificates.ts';
import { type TestServer, startTestServer, temporaryDirectory } from '../../support/test-server.ts';

const authority = new Authority();
const ca = authority.identity.cert;

class Rotation {
  readonly certPath: string;
  readonly keyPath: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.certPath = join(directory, 'tls.crt');
    this.keyPath = join(directory, 'tls.key');
  }

  async server(): Promise<TestServer> {
    await this.write(authority.server());
    return startTestServer({ flags: { 'tls-cert': this.certPath, 'tls-key': this.keyPath } });
  }

  async write({ cert, key }: Identity): Promise<void> {
    const next = join(this.#directory, 'next');
    await writeFile(next, key);
    await rename(next, this.keyPath);
    await writeFile(next, cert);
    await rename(next, this.certPath);
  }
}

async function serialSeenBy(server: TestServer): Promise<string> {
  const socket = connectTls({ host: server.host, port: server.port, ca, servername: 'localhost' });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

/** Calls without end, one behind the other. */
class Load {
  readonly #calls: readonly (() => Promise<void>)[];
  #isOver = false;
  /** Of each kind of call, how many were answered. */
  readonly counts: number[];

  constructor(calls: readonly (() => Promise<void>)[]) {
    this.#calls = calls;
    this.counts = calls.map(() => 0);
  }

  /** Rejects with the first call that fails. */
  async run(): Promise<void> {
    await Promise.all(
      this.#calls.map(async (call, kind) => {
        while (!this.#isOver) {
          await call();
          this.counts[kind] = (this.counts[kind] ?? 0) + 1;
        }
      }),
    );
  }

  /** Waits until each kind of call was answered so often again. */
  async goOn(times: number): Promise<void> {
    const until = this.counts.map((count) => count + times);
    while (this.counts.some((count, kind) => count < (until[kind] ?? 0))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  end(): void {
    this.#isOver = true;
  }
}

test(
  'no call fails while certificates are replaced, and new connections get the newest',
  { timeout: 60_000 },
  async () => {
    const rotation = new Rotation(await temporaryDirectory());
    const server = await rotation.server();
    const address = `https://localhost:${server.port}`;
    const kept = createClient({ address, tls: { ca } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const session = connectHttp2(address, { ca });
    onTestFinished(() => {
      kept.close();
      agent.destroy();
      session.destroy();
    });
    const interrupted = vi.fn();
    const messages = kept.watch({
      ranges: [{ prefix: 'watched' }],
      startRevision: 1,
      onInterrupted: interrupted,
    });
    const watch = messages[Symbol.asyncIterator]();
    const firstEvent = watch.next();
    const keptPorts = new Set<number | undefined>();
    const load = new Load([
      async () => void (await kept.put('a', 'value')),
      async () => {
        const fresh = createClient({ address, tls: { ca } });
        await fresh.get('a');
        fresh.close();
      },
      async () => {
        const stream = session.request({ ':path': '/healthz' });
        const [headers] = (await once(stream, 'response')) as [{ ':status'?: number }];
        expect(headers[':status']).toBe(200);
        await once(stream.resume(), 'close');
      },
      async () => void keptPorts.add(await http1(server, agent)),
      async () => void (await http1(server, undefined)),
    ]);
    const running = load.run();
    running.catch(() => load.end());

    for (let count = 0; count < 5; count++) {
      await Promise.race([load.goOn(3), running]);
      const next = authority.server();
      await rotation.write(next);
      await server.renewTls();
      expect(await serialSeenBy(server)).toBe(new X509Certificate(next.cert).serialNumber);
      await Promise.race([load.goOn(3), running]);
    }
    load.end();
    await running;

    expect(keptPorts.size).toBe(1);
    const renewals = server.log.lines.filter(({ msg }) => msg === 'the TLS files were read again');
    expect(renewals.length).toBe(5);
    await kept.put('watched', '1');
    expect((await firstEvent).done).toBe(false);
    expect(interrupted).not.toHaveBeenCalled();
    await watch.return?.();
  },
);

test('files that change are found without being asked for', { timeout: 60_000 }, async () => {
  const rotation = new Rotation(await temporaryDirectory());
  const server = await rotation.server();
  await server.log.message('the TLS files were read');
  const next = authority.server();
  await rotation.write(next);
  await server.log.message('the TLS files were read again');
  expect(await serialSeenBy(server)).toBe(new X509Certificate(next.cert).serialNumber);
});

test('the metrics say when the certificate expires', async () => {
  const rotation = new Rotation(await temporaryDirectory());
  const server = await rotation.server();
  const expiresIn = async (): Promise<string | undefined> => {
    const text = await textOf(server, '/metrics');
    return /^kelp_tls_certificate_expiration_timestamp_seconds (.*)$/m.exec(text)?.[1];
  };
  for (const year of [2040, 2041]) {
    const notAfter = new Date(Date.UTC(year, 0));
    await rotation.write(authority.server({ notAfter }));
    await server.renewTls();
    expect(Number(await expiresIn())).toBe(notAfter.getTime() / 1000);
  }
});

/** @returns the port of this end. */
async function http1(server: TestServer, agent: Agent | undefined): Promise<number | undefined> {
  const request = httpsRequest({ ...optionsOf(server, '/healthz'), agent: agent ?? false });
  request.end();
  const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
  expect(response.statusCode).toBe(200);
  const port = request.socket?.localPort;
  await once(response.resume(), 'end');
  return port;
}

async function textOf(server: TestServer, path: string): Promise<string> {
  const request = httpsRequest({ ...optionsOf(server, path), agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer>];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function optionsOf({ host, port }: TestServer, path: string): object {
  return { host, port, path, ca, servername: 'localhost' };
}
