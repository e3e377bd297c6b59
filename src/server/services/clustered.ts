/**
 * Methods as a node of a cluster has them; made where there is one, else methods are as they are.
 *
 * What reads waits first until the node has caught up (`cluster/read-gate.ts`): a call with one request before it runs, a stream of
 * replies and a watch before the first of them, a stream of requests before each. Whether a call may do it is asked behind that, by
 * rights that are as new as what is read.
 *
 * What changes something does not come this far at a follower: its door passes it on.
 */
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import type { KvStore } from '../../kv/kv-store.ts';
import { untilSettled } from '../../until-aborted.ts';
import type { Call } from '../calls/call.ts';
import { stoppingError } from '../calls/call-error.ts';
import type { ClusterDoors } from '../cluster/cluster-doors.ts';
import { freshnessOf } from './freshness.ts';
import { pipelineMethod } from './kv/kv.ts';
import type {
  BidiStreamMethod,
  Method,
  PushStreamMethod,
  PushedReplies,
  ReplyOutlet,
  ServerStreamMethod,
  UnaryMethod,
  UnreadRequest,
} from './method.ts';

/** @param doors `undefined`: there is no cluster. */
export function clustered(method: Method, doors: ClusterDoors | undefined): Method {
  if (doors === undefined) return method;
  if (method.desc === KvService.method.pipeline) return pipelineMethod(doors);
  if (method.runsAt !== 'caughtUp') return method;
  switch (method.kind) {
    case 'unary':
      return gatedUnary(method, doors);
    case 'serverStream':
      return gatedReplies(method, doors);
    case 'pushStream':
      return gatedPushes(method, doors);
    case 'bidiStream':
      return gatedRequests(method, doors);
  }
}

function gatedUnary(method: UnaryMethod, { gate }: ClusterDoors): UnaryMethod {
  const runLater = async (
    waiting: Promise<void>,
    store: KvStore,
    request: unknown,
    call: Call,
  ): Promise<unknown> => {
    await waiting;
    return await method.run(store, request, call);
  };
  return {
    ...method,
    keepsRequest: true,
    run(store, request, call) {
      // What changes something, as this node is the writer, needs no more than that it is one.
      if (method.mayChange?.(request) === true) return method.run(store, request, call);
      const waiting = gate.passIn(call, freshnessOf(request), () => store.visibleRevision);
      return waiting === undefined
        ? method.run(store, request, call)
        : runLater(waiting, store, request, call);
    },
  };
}

function gatedReplies(method: ServerStreamMethod, { gate }: ClusterDoors): ServerStreamMethod {
  return {
    ...method,
    keepsRequest: true,
    run(store, request, call, signal) {
      const waiting = gate.pass(
        freshnessOf(request),
        () => store.visibleRevision,
        () => signal,
      );
      const begin = (): AsyncIterable<unknown> => {
        const replies = method.run(store, request, call, signal);
        call.requestRead();
        return replies;
      };
      return waiting === undefined ? begin() : new LateReplies(untilSettled(waiting, signal), begin);
    },
  };
}

/** No generator: one that waits would keep what it has handed out. */
class LateReplies implements AsyncIterableIterator<unknown> {
  readonly #waiting: Promise<void>;
  readonly #begin: () => AsyncIterable<unknown>;
  #replies: AsyncIterator<unknown> | undefined;

  constructor(waiting: Promise<void>, begin: () => AsyncIterable<unknown>) {
    this.#waiting = waiting;
    // Before the first reply is asked for the call may be over.
    waiting.catch(() => undefined);
    this.#begin = begin;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown>> {
    if (this.#replies === undefined) {
      await this.#waiting;
      this.#replies = this.#begin()[Symbol.asyncIterator]();
    }
    return await this.#replies.next();
  }

  async return(): Promise<IteratorResult<unknown>> {
    await this.#replies?.return?.();
    return { done: true, value: undefined };
  }
}

function gatedPushes(method: PushStreamMethod, { gate }: ClusterDoors): PushStreamMethod {
  return {
    ...method,
    keepsRequest: true,
    open(store, request, call, outlet) {
      const open = (): PushedReplies => {
        const replies = method.open(store, request, call, outlet);
        call.requestRead();
        return replies;
      };
      const waiting = gate.pass(
        freshnessOf(request),
        () => store.visibleRevision,
        () => call.signal,
      );
      return waiting === undefined ? open() : new LatePushes(waiting, open, call, outlet);
    },
  };
}

class LatePushes implements PushedReplies {
  readonly #call: Call;
  readonly #outlet: ReplyOutlet;
  #replies: PushedReplies | undefined;
  #mayGoOn = false;
  #isOver = false;

  constructor(waiting: Promise<void>, open: () => PushedReplies, call: Call, outlet: ReplyOutlet) {
    this.#call = call;
    this.#outlet = outlet;
    waiting.then(
      () => this.#begin(open),
      (error: unknown) => this.#end(error),
    );
  }

  goOn(): void {
    this.#mayGoOn = true;
    this.#replies?.goOn();
  }

  stop(): void {
    if (this.#replies !== undefined) return this.#replies.stop();
    const { isEndedByServer, abortReason } = this.#call;
    this.#end(isEndedByServer ? stoppingError() : abortReason);
  }

  #begin(open: () => PushedReplies): void {
    if (this.#isOver) return;
    try {
      this.#replies = open();
    } catch (error) {
      return this.#end(error);
    }
    if (this.#mayGoOn) this.#replies.goOn();
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#outlet.finish(error);
  }
}

function gatedRequests(method: BidiStreamMethod, { gate }: ClusterDoors): BidiStreamMethod {
  async function* gated(requests: AsyncIterable<UnreadRequest>): AsyncGenerator<UnreadRequest> {
    for await (const request of requests) {
      await gate.caughtUp();
      yield request;
    }
  }
  return {
    ...method,
    run: (store, requests, call, signal) => method.run(store, gated(requests), call, signal),
  };
}
