/** A page in Chromium that comes from another origin calls the server with Connect-Web: where that is allowed, and where it is not. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ErrorReason } from '../../gen/kelp/v1/errors_pb.ts';
import { type TestServer, startTestServer, temporaryDirectory } from '../support/test-server.ts';
import { Chromium, type Page, isChromiumInstalled, keyOf } from './chromium.ts';
import type { PageFunctions, WebProtocol } from './web-page.ts';

const tls = { cert: 'test/support/tls/cert.pem', key: 'test/support/tls/key.pem' };

/** Of `web-page.ts` with all that it needs. */
async function makeScript(): Promise<string> {
  const { output } = await build({
    input: 'test/peers/web-page.ts',
    platform: 'browser',
    output: { format: 'iife' },
    write: false,
    logLevel: 'warn',
  });
  return output[0].code;
}

/** In the page: calls a function of `web-page.ts`, once its script is there. */
async function runInPage<Name extends keyof PageFunctions>(
  name: Name,
  ...given: Parameters<PageFunctions[Name]>
): Promise<unknown> {
  const page = globalThis as unknown as {
    readonly document: { readonly readyState: string };
    readonly kelpPage: Record<string, (...given: readonly unknown[]) => Promise<unknown>>;
    addEventListener(event: string, listener: () => void): void;
  };
  if (page.document.readyState !== 'complete') {
    await new Promise<void>((resolve) => page.addEventListener('load', () => resolve()));
  }
  return page.kelpPage[name]?.(...given);
}

describe.runIf(isChromiumInstalled)('a page of another origin in Chromium', () => {
  let chromium: Chromium;
  let script: string;
  beforeAll(async () => {
    chromium = await Chromium.start(keyOf(tls.cert));
    script = await makeScript();
  });
  afterAll(() => chromium.close());

  /** Serves the page. @returns its origin. */
  async function servePage(): Promise<string> {
    const server = createServer((request, response) => {
      const isScript = request.url === '/page.js';
      response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
      response.end(isScript ? script : '<!doctype html><script src="/page.js"></script>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function openPage(
    flags: (origin: string) => Readonly<Record<string, string>>,
  ): Promise<{ readonly page: Page; readonly server: TestServer }> {
    const origin = await servePage();
    const server = await startTestServer({ flags: flags(origin) });
    return { server, page: await chromium.open(origin) };
  }

  describe.each<[string, Readonly<Record<string, string>>]>([
    ['HTTP/1.1', {}],
    ['HTTP/2 with TLS', { 'tls-cert': tls.cert, 'tls-key': tls.key }],
  ])('over %s', (_, flags) => {
    test.each<WebProtocol>(['Connect', 'Connect in JSON', 'gRPC-Web'])(
      'logs in, calls, reads errors and streams, and watches by %s',
      async (protocol) => {
        const passwordFile = join(await temporaryDirectory(), 'password');
        writeFileSync(passwordFile, 'secret', { mode: 0o600 });
        const { page, server } = await openPage((origin) => ({
          ...flags,
          'cors-origin': origin,
          'root-password-file': passwordFile,
        }));
        expect(await page.run(runInPage, 'useStore', protocol, server.url)).toEqual({
          value: 'of b',
          keys: ['a', 'b', 'c'],
          failure: ['FailedPrecondition', expect.any(String), ErrorReason.CONDITION_FAILED],
        });
        expect(await page.run(runInPage, 'watchWrites', protocol, server.url)).toEqual(['w/0', 'w/1']);
      },
    );

    test('is refused where its origin is not allowed, and nothing of it has run', async () => {
      const { page, server } = await openPage(() => ({ ...flags, 'cors-origin': 'https://app.example.com' }));
      for (const protocol of ['Connect', 'gRPC-Web']) {
        const failure = await page.run(runInPage, 'tryPut', protocol as WebProtocol, server.url);
        expect(failure).toEqual(['Unknown', 'Failed to fetch', null]);
      }
      // In JSON a zero is left out.
      const status = { revision: '0', ...((await statusOf(chromium, server)) as object) };
      expect(status).toMatchObject({ revision: '0', version: '0.0.0-test' });
    });
  });

  test('is refused where none is allowed', async () => {
    const { page, server } = await openPage(() => ({}));
    const failure = await page.run(runInPage, 'tryPut', 'Connect', server.url);
    expect(failure).toEqual(['Unknown', 'Failed to fetch', null]);
    const line = await server.log.message('a request was refused that a web page may have sent');
    expect(line['reason']).toContain('--cors-origin http://127.0.0.1:');
  });
});

/** Asked by a page of the server itself. */
async function statusOf(chromium: Chromium, { url }: TestServer): Promise<unknown> {
  const page = await chromium.open(`${url}/healthz`);
  return page.run(async () => {
    const response = await fetch('/kelp.v1.AdminService/Status', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    return response.json();
  });
}
