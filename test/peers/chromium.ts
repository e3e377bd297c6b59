/**
 * Chromium without a screen, as Debian has it, told what to do over its "DevTools protocol": messages of JSON that end with a
 * zero byte, through two pipes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate, createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { found } from '../support/installed.ts';

const BROWSERS = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
/** `undefined`: it is not installed. */
export const chromiumPath = BROWSERS.find((path) => existsSync(path));

export const isChromiumInstalled = found('Chromium', chromiumPath !== undefined);

/** What `Chromium.start` is to trust: that of a certificate in a PEM file. */
export function keyOf(certificatePath: string): string {
  const { publicKey } = new X509Certificate(readFileSync(certificatePath));
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly error?: { readonly message: string };
  readonly result?: unknown;
}

export class Chromium {
  readonly #profile: string;
  readonly #process: ChildProcess;
  readonly #pipe: Writable;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #ended: Promise<unknown>;
  #lastId = 0;
  #stderr = '';

  private constructor(profile: string, trustedKey: string) {
    this.#profile = profile;
    const options = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-proxy-server',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      `--ignore-certificate-errors-spki-list=${trustedKey}`,
    ];
    this.#process = spawn(chromiumPath ?? '', options, {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    const [, , stderr, pipe, answers] = this.#process.stdio;
    this.#pipe = pipe as Writable;
    (stderr as Readable).setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#read(answers as Readable);
    this.#ended = new Promise((resolve) => this.#process.once('exit', resolve));
    void this.#ended.then(() => this.#lose());
  }

  /** @param trustedKey the SHA-256 of the public key whose certificates are taken, in base64. */
  static async start(trustedKey: string): Promise<Chromium> {
    return new Chromium(await mkdtemp(join(tmpdir(), 'kelp-chromium-')), trustedKey);
  }

  async close(): Promise<void> {
    // Asked so, it ends its other processes too; killed, it leaves them behind for a while.
    this.send('Browser.close', {}).catch(() => undefined);
    await this.#ended;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }

  async open(url: string): Promise<Page> {
    const { targetId } = (await this.send('Target.createTarget', { url: 'about:blank' })) as {
      targetId: string;
    };
    const attached = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const { sessionId } = attached as { sessionId: string };
    const { errorText } = (await this.send('Page.navigate', { url }, sessionId)) as { errorText?: string };
    if (errorText !== undefined) throw new Error(`${url} can not be opened: ${errorText}`);
    return new Page(this, sessionId);
  }

  async send(method: string, params: object, sessionId?: string): Promise<unknown> {
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    this.#pipe.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return waiting.promise;
  }

  #read(answers: Readable): void {
    let text = '';
    answers.setEncoding('utf8').on('data', (part: string) => {
      const messages = (text + part).split('\0');
      text = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Reply);
    });
  }

  #take({ id, error, result }: Reply): void {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }

  #lose(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(`Chromium has ended: ${this.#stderr}`));
  }
}

/** What `Runtime.evaluate` gives. */
interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: {
    readonly text: string;
    readonly exception?: { readonly description?: string };
  };
}

export class Page {
  readonly #chromium: Chromium;
  readonly #sessionId: string;

  constructor(chromium: Chromium, sessionId: string) {
    this.#chromium = chromium;
    this.#sessionId = sessionId;
  }

  /** Runs a function in the page, which knows nothing but its arguments; these and what it gives go through JSON. */
  async run<Arguments extends readonly unknown[], Result>(
    work: (...given: Arguments) => Promise<Result>,
    ...given: Arguments
  ): Promise<Result> {
    const evaluated = await this.#chromium.send(
      'Runtime.evaluate',
      {
        expression: `(${work.toString()})(...${JSON.stringify(given)})`,
        awaitPromise: true,
        returnByValue: true,
      },
      this.#sessionId,
    );
    const { result, exceptionDetails } = evaluated as Evaluated;
    if (exceptionDetails !== undefined) {
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    }
    return result.value as Result;
  }
}
