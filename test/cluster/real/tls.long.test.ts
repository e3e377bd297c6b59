/**
 * A cluster in which nothing is said in the clear, and nothing is believed without a secret: TLS with certificates of its own among nodes
 * and to etcd, a user with a password at etcd, access to the store closed, and a token by which nodes know each other. In part of the
 * time what is refused alone.
 */
import { expect, onTestFinished, test, vi } from 'vitest';
import { type KelpClient, createClient } from '../../../src/client/client.ts';
import { ServerProcess } from '../../crash/server-process.ts';
import { hasRealEtcd } from '../../server/etcd/support/real-etcd.ts';
import { rounds } from '../../support/share.ts';
import { freePort } from '../../support/free-port.ts';
import { temporaryDirectory } from '../../support/test-server.ts';
import { kelp } from './kelp-command.ts';
import { SecretFiles } from './secret-files.ts';
import { startSecuredEtcd } from './secured-etcd.ts';

vi.setConfig({ testTimeout: 240_000 });

const ROOT = { user: 'root', password: 'a secret of root' };
const LOG_USER = 'kelp';
const LOG_PASSWORD = 'a secret of kelp';

/** What it takes to start nodes of one cluster, and to be their client. */
class SecuredCluster {
  readonly files: SecretFiles;
  readonly #log: string;
  readonly #logFlags: readonly string[];
  readonly #rootFile: string;

  private constructor(files: SecretFiles, log: string, logPasswordFile: string, rootFile: string) {
    this.files = files;
    this.#log = log;
    this.#logFlags = [
      `--log-ca=${files.ca}`,
      `--log-cert=${files.cert}`,
      `--log-key=${files.key}`,
      `--log-user=${LOG_USER}`,
      `--log-password-file=${logPasswordFile}`,
    ];
    this.#rootFile = rootFile;
  }

  static async make(): Promise<SecuredCluster> {
    const files = await SecretFiles.make();
    const passwordFile = await files.secret('log-password', LOG_PASSWORD);
    const rootFile = await files.secret('root-password', ROOT.password);
    const log = await startSecuredEtcd(files, LOG_USER, LOG_PASSWORD);
    const cluster = new SecuredCluster(files, log, passwordFile, rootFile);
    await kelp('cluster', 'init', `--log=${log}`, ...cluster.#logFlags);
    return cluster;
  }

  /** A node that may not become ready. @param changes flags that take the place of those of the same name. */
  async node(changes: readonly string[] = [], life: Life = {}): Promise<ServerProcess> {
    const { dataDir = await temporaryDirectory(), port = await freePort() } = life;
    const { ca, cert, key } = this.files;
    const flags = [
      `--log=${this.#log}`,
      ...this.#logFlags,
      '--failover-after=2s',
      '--snapshot-log-bytes=64KiB',
      '--log-level=debug',
      `--root-password-file=${this.#rootFile}`,
      `--tls-cert=${cert}`,
      `--tls-key=${key}`,
      `--peer-ca=${ca}`,
    ];
    const nameOf = (flag: string): string | undefined => flag.split('=')[0];
    const changed = new Set(changes.map(nameOf));
    const kept = flags.filter((flag) => !changed.has(nameOf(flag)));
    return new ServerProcess({ dataDir, port, flags: [...kept, ...changes] });
  }

  client(...ports: readonly number[]): KelpClient {
    const client = createClient({
      addresses: ports.map((port) => `127.0.0.1:${port}`),
      tls: { ca: this.files.authorityPem },
      credentials: ROOT,
      deadlineMs: 60_000,
    });
    onTestFinished(() => client.close());
    return client;
  }
}

interface Life {
  readonly dataDir?: string;
  readonly port?: number;
}

/** What a node says of the snapshot that it needs and does not get. */
async function refusal(node: ServerProcess): Promise<unknown> {
  return (await node.logged('could not get a snapshot from another node; tried again'))['why'];
}

test.runIf(hasRealEtcd && rounds(4) > 1)(
  'nodes of a cluster trust each other and etcd by certificates and secrets',
  async () => {
    const cluster = await SecuredCluster.make();
    const { files } = cluster;

    // The first life of a cluster, without the token by which nodes know each other, which takes a server to be made.
    const [dataDir, port] = [await temporaryDirectory(), await freePort()];
    let writer = await cluster.node([], { dataDir, port });
    await writer.logged('ready');
    const root = cluster.client(port);
    await root.access.createRole('node');
    await root.access.addGrant('node', { permission: 'admin' });
    await root.access.createUser('node', { roles: ['node'] });
    const { secret } = await root.access.createToken('nodes', { user: 'node' });
    expect(await writer.end('SIGTERM')).toEqual({ code: 0, signal: null });

    const token = `--peer-token-file=${await files.secret('peer-token', secret)}`;
    writer = await cluster.node([token], { dataDir, port });
    await writer.logged('this node has taken over: it is the writer of the cluster now');
    const follower = await cluster.node([token]);
    await follower.logged('ready');
    // Through the follower, which forwards it over TLS.
    const client = cluster.client(follower.port);
    await client.put('through', 'a follower');
    expect((await root.get('through')).entry?.text()).toBe('a follower');

    // Once both have a snapshot the log is trimmed: a node that comes then has to fetch one.
    for (let count = 0; count < 8; count++) await client.put(`filler/${count}`, 'x'.repeat(100_000));
    await Promise.all([root.admin.snapshot(), client.admin.snapshot()]);
    await writer.logged('the shared log was trimmed');

    const late = await cluster.node([token]);
    await late.logged('got a snapshot from another node');
    await late.logged('ready');
    const ofLate = cluster.client(late.port);
    expect((await ofLate.get('through')).entry?.text()).toBe('a follower');

    // Those that trust the wrong authority, or show a token that is none, are told so.
    const suspicious = await cluster.node([token, `--peer-ca=${files.strangeCa}`]);
    expect(await refusal(suspicious)).toMatch(
      /^the server at https:\S+ is not trusted: .* give its authority with --peer-ca$/,
    );
    const unknown = await cluster.node([`--peer-token-file=${await files.secret('no-token', 'none')}`]);
    expect(await refusal(unknown)).toMatch(/^the credentials are not right; .*--peer-token-file$/);
    await Promise.all([suspicious.end('SIGKILL'), unknown.end('SIGKILL')]);

    await writer.end('SIGKILL');
    const all = cluster.client(follower.port, late.port);
    await all.put('after', 'a takeover');
    expect((await ofLate.get('after')).entry?.text()).toBe('a takeover');
    writer = await cluster.node([token], { dataDir, port });
    await writer.logged('ready');
    expect((await root.get('after')).entry?.text()).toBe('a takeover');
  },
);

test.runIf(hasRealEtcd)(
  'etcd is not trusted without its authority, and trusts none without a password',
  async () => {
    const cluster = await SecuredCluster.make();
    const { files } = cluster;
    await (await cluster.node()).logged('ready');

    const suspicious = await cluster.node([`--log-ca=${files.strangeCa}`]);
    const wrong = await files.secret('wrong-password', 'wrong');
    const refused = await cluster.node([`--log-password-file=${wrong}`]);
    expect((await suspicious.ended).code).toBe(4);
    expect(suspicious.stderr).toMatch(/etcd at https:\S+ is not trusted: .* with --log-ca/);
    expect((await refused.ended).code).toBe(4);
    expect(refused.stderr).toMatch(/etcd at https:\S+: .*authentication failed, invalid user ID or password/);
  },
);
