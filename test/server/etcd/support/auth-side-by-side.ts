/** As `SideBySide`, for calls about access: both have a login of their own, and revisions are left out, since changes of access take them, as tokens are. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { expect, onTestFinished } from 'vitest';
import { startTestServer } from '../../../support/test-server.ts';
import { type EtcdClient, type EtcdOutcome, etcdClient, outcomeOf } from './etcd-client.ts';
import { RealEtcd } from './real-etcd.ts';

export class AuthSideBySide {
  kelp: EtcdClient;
  etcd: EtcdClient;
  callCount = 0;
  readonly #kelpUrl: string;
  readonly #etcdUrl: string;

  private constructor(kelpUrl: string, etcdUrl: string) {
    this.#kelpUrl = kelpUrl;
    this.#etcdUrl = etcdUrl;
    this.kelp = etcdClient(kelpUrl);
    this.etcd = etcdClient(etcdUrl);
  }

  /** Within a test, with which both end. */
  static async start(): Promise<AuthSideBySide> {
    // The least that etcd takes.
    const [server, etcd] = await Promise.all([startTestServer(), RealEtcd.start(['--bcrypt-cost=4'])]);
    onTestFinished(() => etcd.stop());
    return new AuthSideBySide(server.url, etcd.url);
  }

  /** From now on the calls are those of a user, by a token of each. Both must let it in. */
  async logIn(name: string, password: string): Promise<void> {
    const tokenOf = async (url: string): Promise<string> =>
      (await etcdClient(url).auth.authenticate({ name, password })).token;
    this.kelp = etcdClient(this.#kelpUrl, { token: await tokenOf(this.#kelpUrl) });
    this.etcd = etcdClient(this.#etcdUrl, { token: await tokenOf(this.#etcdUrl) });
  }

  /** From now on the calls are those of a client that shows nothing. */
  logOut(): void {
    this.kelp = etcdClient(this.#kelpUrl);
    this.etcd = etcdClient(this.#etcdUrl);
  }

  /** Makes a call to both, etcd first. @param what said where they differ. @returns what both answered. */
  async same<Output extends DescMessage>(
    what: string,
    schema: Output,
    call: (client: EtcdClient) => Promise<MessageShape<Output>>,
  ): Promise<EtcdOutcome> {
    const about = `call ${this.callCount++}: ${what}`;
    const wanted = withoutHeader(await outcomeOf(schema, call(this.etcd)));
    expect(withoutHeader(await outcomeOf(schema, call(this.kelp))), about).toEqual(wanted);
    return wanted;
  }
}

function withoutHeader(outcome: EtcdOutcome): EtcdOutcome {
  if (!('reply' in outcome)) return outcome;
  const { header: _, token, ...reply } = outcome.reply as Record<string, unknown>;
  return { reply: token === undefined ? reply : { ...reply, token: 'one' } };
}
