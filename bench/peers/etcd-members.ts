/** An etcd of three members on 127.0.0.1, each a process that may be killed, halted and started again. */
import { fromBinary } from '@bufbuild/protobuf';
import { type StatusResponse, StatusResponseSchema } from '../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { freePort } from '../../test/support/free-port.ts';
import type { CaseContext } from '../bench-case.ts';
import type { ChildServer } from '../load/child-server.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { type MemberPlace, startMember } from './etcd.ts';

const NAMES = ['one', 'two', 'three'];
const STATUS_PATH = '/etcdserverpb.Maintenance/Status';
const ASKED_AGAIN_MS = 50;
/** What docs/replication.md tells operators to give; all else is etcd's default. */
const QUOTA = `--quota-backend-bytes=${8 * 2 ** 30}`;

export class EtcdMember {
  readonly address: string;
  readonly #start: () => Promise<ChildServer | undefined>;
  #child: ChildServer | undefined;

  constructor(address: string, start: () => Promise<ChildServer | undefined>) {
    this.address = address;
    this.#start = start;
  }

  get processId(): number {
    return this.child.processId;
  }

  get child(): ChildServer {
    if (this.#child === undefined) throw new Error(`the member at ${this.address} does not run`);
    return this.#child;
  }

  /** Resolves when it is one of a majority. @returns whether etcd is installed. */
  async start(): Promise<boolean> {
    this.#child = await this.#start();
    return this.#child !== undefined;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await child?.stop(signal);
  }
}

export class EtcdMembers {
  readonly all: readonly EtcdMember[];

  private constructor(all: readonly EtcdMember[]) {
    this.all = all;
  }

  /** @returns `undefined` when etcd is not installed. */
  static async start(context: CaseContext, directory: string): Promise<EtcdMembers | undefined> {
    const places: MemberPlace[] = [];
    for (const name of NAMES) {
      const address = `127.0.0.1:${await freePort()}`;
      places.push({ name, address, peerUrl: `http://127.0.0.1:${await freePort()}` });
    }
    const initial = places.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
    const options = [`--initial-cluster=${initial}`, QUOTA];
    const members = new EtcdMembers(
      places.map(
        (place) =>
          new EtcdMember(place.address, () =>
            startMember(context, `${directory}/${place.name}`, place, options),
          ),
      ),
    );
    const started = await Promise.all(members.all.map((member) => member.start()));
    return started.every(Boolean) ? members : undefined;
  }

  /** As `--log` takes it. */
  logOf(name: string): string {
    return `etcd://${this.all.map(({ address }) => address).join(',')}/kelp/${name}`;
  }

  get processIds(): readonly number[] {
    return this.all.map(({ processId }) => processId);
  }

  /** The member that leads, once all members run and say the same. */
  async leader(): Promise<EtcdMember> {
    for (;;) {
      const statuses = await Promise.all(this.all.map(({ address }) => statusOf(address)));
      const [leaderId] = statuses.map(({ leader }) => leader);
      const index = statuses.findIndex(({ header }) => header?.memberId === leaderId);
      const member = this.all[index];
      if (member !== undefined && statuses.every(({ leader }) => leader === leaderId)) return member;
      await new Promise((resolve) => setTimeout(resolve, ASKED_AGAIN_MS));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.all.map((member) => member.end('SIGKILL')));
  }
}

async function statusOf(address: string): Promise<StatusResponse> {
  const caller = new GrpcCaller(address);
  await caller.connect();
  try {
    return fromBinary(StatusResponseSchema, await caller.call(STATUS_PATH, Buffer.alloc(0)));
  } finally {
    caller.close();
  }
}
