/** The servers of one script: real processes that are stopped, killed and started again at the same port, and whose disk fails. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '../../../src/client/client.ts';
import { ServerProcess } from '../../crash/server-process.ts';
import { Authority } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import type { Kept } from './matches.ts';
import type { ServerAction, ServerSpec } from './steps.ts';

const HELD_FLUSH = new URL('../../crash/held-flush.ts', import.meta.url);
const ROOT = { user: 'root', password: 'of the conformance script' };

/** Servers by their names, and what scripts know of them. */
export async function startServers(
  specs: Readonly<Record<string, ServerSpec>>,
  kept: Kept,
): Promise<ReadonlyMap<string, ScriptServer>> {
  const servers = new Map<string, ScriptServer>();
  const directory = await temporaryDirectory();
  kept.set('deadAddress', `127.0.0.1:${await freePort()}`);
  for (const [name, spec] of Object.entries(specs)) {
    const server = new ScriptServer(spec, join(directory, name), await freePort());
    await server.prepare(name, kept);
    kept.set(`${name}.address`, server.address);
    if (spec.isStarted !== false) await server.act('start');
    if (server.token !== undefined) kept.set(`${name}.token`, server.token);
    servers.set(name, server);
  }
  return servers;
}

export class ScriptServer {
  readonly address: string;
  /** Of its user, once access is closed. */
  token: string | undefined;
  readonly #spec: ServerSpec;
  readonly #directory: string;
  readonly #port: number;
  #ca: string | undefined;
  #isClosed = false;
  #process: ServerProcess | undefined;

  constructor(spec: ServerSpec, directory: string, port: number) {
    this.#spec = spec;
    this.#directory = directory;
    this.#port = port;
    this.address = `127.0.0.1:${port}`;
  }

  async prepare(name: string, kept: Kept): Promise<void> {
    await mkdir(this.#directory);
    if (this.#spec.tls !== true) return;
    const authority = new Authority();
    const { cert, key } = authority.server();
    this.#ca = authority.identity.cert;
    const files = {
      'ca.pem': this.#ca,
      'other-ca.pem': new Authority('another authority').identity.cert,
      'cert.pem': cert,
      'key.pem': key,
    };
    for (const [file, text] of Object.entries(files)) {
      await writeFile(join(this.#directory, file), text, { mode: 0o600 });
    }
    kept.set(`${name}.caFile`, join(this.#directory, 'ca.pem'));
    kept.set(`${name}.otherCaFile`, join(this.#directory, 'other-ca.pem'));
  }

  async act(action: ServerAction): Promise<void> {
    switch (action) {
      case 'start':
        await this.#start();
        break;
      case 'stop':
        await this.#running.end('SIGTERM');
        break;
      case 'kill':
        await this.#running.end('SIGKILL');
        break;
      case 'pause':
        this.#running.kill('SIGSTOP');
        break;
      case 'resume':
        this.#running.kill('SIGCONT');
        break;
      case 'fail':
        await this.#running.tell({ flushes: 'fail' });
        break;
      case 'hold':
        await this.#running.tell({ flushes: 'wait' });
        break;
      case 'held':
        await this.#running.tell({ flushes: 'wait', untilOneWaits: true });
        break;
      case 'letGo':
        await this.#running.tell({ flushes: 'pass' });
        break;
      case 'compact':
        await this.#compact();
        break;
      case 'wipe':
        await this.#running.end('SIGKILL');
        await rm(this.#dataDir, { recursive: true });
        await this.#start();
        break;
    }
  }

  get #running(): ServerProcess {
    if (this.#process === undefined) throw new Error('the server has not been started');
    return this.#process;
  }

  get #dataDir(): string {
    return join(this.#directory, 'data');
  }

  async #start(): Promise<void> {
    const file = (name: string): string => join(this.#directory, name);
    this.#process = await ServerProcess.start({
      dataDir: this.#dataDir,
      port: this.#port,
      preload: HELD_FLUSH,
      flags: this.#spec.tls === true ? ['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem')] : [],
    });
    if (!this.#isClosed) await this.#closeAccess();
  }

  async #closeAccess(): Promise<void> {
    const { user } = this.#spec;
    if (user === undefined) return;
    const { name, password, prefix } = user;
    await using client = this.#client();
    await client.access.createRole('own');
    await client.access.addGrant('own', { permission: 'readwrite', prefix });
    await client.access.createUser(name, { password, roles: ['own'] });
    this.token = (await client.access.createToken('conformance', { user: name })).secret;
    await client.access.createUser(ROOT.user, { password: ROOT.password });
    this.#isClosed = true;
  }

  async #compact(): Promise<void> {
    await using client = this.#client();
    const { revision } = await client.get('-');
    await client.admin.compact(revision);
  }

  #client(): ReturnType<typeof createClient> {
    return createClient({
      address: this.address,
      ...(this.#ca !== undefined && { tls: { ca: this.#ca } }),
      ...(this.#isClosed && { credentials: ROOT }),
    });
  }
}
