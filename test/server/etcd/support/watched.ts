/** A stream of watches of etcd's API, whose requests are sent and whose replies are awaited one by one. */
import { type MessageInitShape, create, toJson } from '@bufbuild/protobuf';
import {
  type WatchCreateRequestSchema,
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
} from '../../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { comparable, type EtcdClient } from './etcd-client.ts';

type Request = MessageInitShape<typeof WatchRequestSchema>;

export class Watched {
  readonly #requests: Request[] = [];
  readonly #end = new AbortController();
  #wake = (): void => undefined;
  #hasEnded = false;
  readonly #replies: AsyncIterator<WatchResponse>;

  constructor({ watch }: Pick<EtcdClient, 'watch'>) {
    this.#replies = watch.watch(this.#sent(), { signal: this.#end.signal })[Symbol.asyncIterator]();
  }

  create(value: MessageInitShape<typeof WatchCreateRequestSchema>): void {
    this.send({ requestUnion: { case: 'createRequest', value } });
  }

  cancel(watchId: bigint): void {
    this.send({ requestUnion: { case: 'cancelRequest', value: { watchId } } });
  }

  askProgress(): void {
    this.send({ requestUnion: { case: 'progressRequest', value: {} } });
  }

  send(request: Request): void {
    this.#requests.push(request);
    this.#wake();
  }

  /** Sends no more requests. */
  halfClose(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  stop(): void {
    this.#end.abort();
    // A request that is not asked for ends nothing.
    this.halfClose();
  }

  /** Throws when the stream has ended. */
  async next(): Promise<WatchResponse> {
    const { done, value } = await this.#replies.next();
    if (done === true) throw new Error('the stream has ended');
    return value;
  }

  /** The next replies as comparable JSON. */
  async told(count: number): Promise<unknown[]> {
    const replies: unknown[] = [];
    while (replies.length < count) replies.push(toldBy(await this.next()));
    return replies;
  }

  /** The next events, however many replies they come in, each with the id of its watch; no reply may have anything else. */
  async events(count: number): Promise<unknown[]> {
    const events: unknown[] = [];
    while (events.length < count) {
      const reply = await this.next();
      if (reply.created || reply.canceled || reply.events.length === 0)
        throw new Error(`no events but ${JSON.stringify(toldBy(reply))}`);
      const { watchId } = reply;
      events.push(...(toldBy(reply)['events'] as object[]).map((event) => ({ watchId, ...event })));
    }
    return events;
  }

  async *#sent(): AsyncGenerator<MessageInitShape<typeof WatchRequestSchema>> {
    for (;;) {
      const request = this.#requests.shift();
      if (request !== undefined) yield create(WatchRequestSchema, request);
      else if (this.#hasEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function toldBy(reply: WatchResponse): Record<string, unknown> {
  return comparable(toJson(WatchResponseSchema, reply)) as Record<string, unknown>;
}
