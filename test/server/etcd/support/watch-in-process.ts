/** A stream of watches of etcd's API without a socket: its replies are pulled one by one, and what its call holds can be looked at. */
import { onTestFinished } from 'vitest';
import {
  emptyWatchCreateRequest,
  sizeOfWatchRequest,
  type WatchCreateRequestShape,
  type WatchRequestShape,
  writeWatchRequest,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_codec.ts';
import type { Login } from '../../../../src/access/login/login.ts';
import type { KvStore } from '../../../../src/kv/kv-store.ts';
import { serverDefaults, type ServerLimits } from '../../../../src/limits.ts';
import type { Call } from '../../../../src/server/calls/call.ts';
import { CallTable } from '../../../../src/server/calls/call-table.ts';
import type { WatchReply } from '../../../../src/server/etcd/watch/watch-reply.ts';
import { watchMethods } from '../../../../src/server/etcd/watch.ts';
import { type BidiStreamMethod, UnreadRequest } from '../../../../src/server/services/method.ts';
import { allowed } from '../../../support/open-access.ts';

export class WatchInProcess {
  readonly table: CallTable;
  readonly call: Call;
  readonly #method: BidiStreamMethod;
  readonly #replies: AsyncIterator<unknown>;
  readonly #requests: (WatchRequestShape['requestUnion'] | 'end')[] = [];
  #wake = (): void => undefined;

  constructor(store: KvStore, { login, ...limits }: Partial<ServerLimits> & { readonly login?: Login } = {}) {
    this.table = new CallTable({ ...serverDefaults, ...limits });
    const method = watchMethods()['watch'];
    if (method?.kind !== 'bidiStream') throw new Error('it is no stream');
    this.#method = method;
    this.call = this.table.open({ cut: () => undefined }, true);
    if (login === undefined) allowed(this.call);
    else this.call.login = login;
    this.#replies = method.run(store, this.#sent(), this.call, this.call.signal)[Symbol.asyncIterator]();
    onTestFinished(() => this.call.close());
  }

  create(value: Partial<WatchCreateRequestShape>): void {
    this.send({ case: 'createRequest', value: { ...emptyWatchCreateRequest(), ...value } });
  }

  askProgress(): void {
    this.send({ case: 'progressRequest', value: {} });
  }

  send(request: WatchRequestShape['requestUnion'] | 'end'): void {
    this.#requests.push(request);
    this.#wake();
  }

  /** `undefined`: the stream has ended. */
  async next(): Promise<WatchReply | undefined> {
    const { done, value } = await this.#replies.next();
    return done === true ? undefined : (value as WatchReply);
  }

  async *#sent(): AsyncGenerator<UnreadRequest> {
    for (;;) {
      const requestUnion = this.#requests.shift();
      if (requestUnion === 'end') return;
      if (requestUnion === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      const request = { requestUnion };
      const bytes = Buffer.alloc(sizeOfWatchRequest(request));
      writeWatchRequest(request, bytes, 0);
      yield new UnreadRequest(this.#method, bytes);
    }
  }
}
