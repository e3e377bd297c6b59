/** A server of KelpDB and a real etcd, both empty: each call goes to both, and both must answer alike. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { expect, onTestFinished } from 'vitest';
import { startTestServer } from '../../../support/test-server.ts';
import { type EtcdClient, type EtcdOutcome, etcdClient, outcomeOf } from './etcd-client.ts';
import { RealEtcd } from './real-etcd.ts';

export class SideBySide {
  readonly kelp: EtcdClient;
  readonly etcd: EtcdClient;

  private constructor(kelpUrl: string, etcdUrl: string) {
    this.kelp = etcdClient(kelpUrl);
    this.etcd = etcdClient(etcdUrl);
  }

  /** Within a test, with which both end. @param flags of KelpDB. */
  static async start(flags: Readonly<Record<string, string>> = {}): Promise<SideBySide> {
    const [server, etcd] = await Promise.all([startTestServer({ flags }), RealEtcd.start()]);
    onTestFinished(() => etcd.stop());
    return new SideBySide(server.url, etcd.url);
  }

  /** Makes a call to both, etcd first. @param what said where they differ. @returns what both answered. */
  async same<Output extends DescMessage>(
    what: string,
    schema: Output,
    call: (client: EtcdClient) => Promise<MessageShape<Output>>,
  ): Promise<EtcdOutcome> {
    const wanted = await outcomeOf(schema, call(this.etcd));
    expect(await outcomeOf(schema, call(this.kelp)), what).toEqual(wanted);
    return wanted;
  }
}
