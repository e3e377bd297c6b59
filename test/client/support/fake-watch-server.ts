/**
 * A server that streams changes as `watch.proto` says, from a log that a test writes, and whose connections break
 * where the test says. It checks nothing about the client: the tests compare what the client hands out with the log.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import { Code } from '@connectrpc/connect';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import type { WatchRequest, WatchResponseSchema } from '../../../gen/kelp/v1/watch_pb.ts';
import { DeleteReason, EventType, WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { broken, kelpFailure } from './fake-server.ts';

type Reply = MessageInitShape<typeof WatchResponseSchema>;

export class FakeWatchServer {
  /** The keys that each revision puts; the first stands for revision 1. A revision without keys is one of others. */
  readonly log: string[][] = [];
  /** Revisions up to this one can't be watched any more. */
  compactedRevision = 0;
  /** The store that it has now. */
  storeId = 'a'.repeat(32);
  /** What it says wrote the revisions that are committed next; empty: it says nothing of that. */
  incarnation = '';
  /** How many events one message holds. */
  fragmentSize = 2;
  /** After how many messages each connection breaks; one that is not listed stays. */
  breaks: number[] = [];
  /** Whether progress is told between present entries, as a server may that takes long over them. */
  hasProgressAmongCurrent = false;
  /** How the next connections are refused or broken; by default as a broken connection is. */
  failures: Error[] = [];
  readonly requests: WatchRequest[] = [];
  openCount = 0;
  /** What wrote each revision. */
  #writers: string[] = [];
  readonly #wake = new Set<() => void>();

  commit(...keys: string[]): number {
    this.log.push(keys);
    this.#writers.push(this.incarnation);
    for (const wake of this.#wake) wake();
    return this.log.length;
  }

  /** It comes back as it was at a revision, and is another incarnation from there on. */
  turnBack(revision: number, incarnation: string): void {
    this.log.length = revision;
    this.#writers.length = revision;
    this.incarnation = incarnation;
  }

  readonly routes = (router: ConnectRouter): void => {
    router.service(WatchService, { watch: (request, { signal }) => this.#serve(request, signal) });
  };

  async *#serve(request: WatchRequest, signal: AbortSignal): AsyncGenerator<Reply> {
    this.requests.push(request);
    this.openCount++;
    signal.addEventListener('abort', () => void this.openCount--, { once: true });
    let remaining = this.breaks.shift() ?? Number.POSITIVE_INFINITY;
    const { storeId } = this;
    if (request.storeId !== '' && request.storeId !== storeId) throw this.#otherStore(request.storeId);
    const replies = this.#messages(request, signal);
    let told = '';
    for (let isFirst = true; remaining-- > 0; isFirst = false) {
      const reply = await replies.next();
      if (reply.done) return;
      const writer = this.#writers[Number(reply.value.message?.value?.revision) - 1] ?? '';
      const incarnation = writer === told ? '' : writer;
      told = writer;
      yield { ...reply.value, incarnation, ...(isFirst && { storeId }) };
    }
    throw this.failures.shift() ?? broken();
  }

  async *#messages(request: WatchRequest, signal: AbortSignal): AsyncGenerator<Reply> {
    let done = this.log.length;
    if (request.includeCurrent) {
      for (const key of new Set(this.log.flat())) {
        yield this.#current(key, done);
        if (this.hasProgressAmongCurrent)
          yield { message: { case: 'progress', value: { revision: BigInt(done) } } };
      }
    } else if (request.startRevision !== 0n) {
      done = Number(request.startRevision) - 1;
      if (request.incarnation !== '' && request.incarnation !== this.#writers[done - 1])
        throw this.#historyDiffers(done, request.incarnation);
      if (done < this.compactedRevision) throw this.#outOfRange(ErrorReason.REVISION_COMPACTED, done + 1);
      if (done > this.log.length) throw this.#outOfRange(ErrorReason.REVISION_FUTURE, done + 1);
      while (done < this.log.length) yield* this.#revision(++done);
    }
    yield { message: { case: 'synced', value: { revision: BigInt(done) } } };
    while (!signal.aborted) {
      if (done < this.log.length) yield* this.#revision(++done);
      else await this.#change(signal);
    }
  }

  #current(key: string, revision: number): Reply {
    return { message: { case: 'current', value: { entries: [{ key }], revision: BigInt(revision) } } };
  }

  *#revision(number: number): Generator<Reply> {
    const revision = BigInt(number);
    const keys = this.log[number - 1] ?? [];
    if (keys.length === 0) yield { message: { case: 'progress', value: { revision } } };
    for (let begin = 0; begin < keys.length; begin += this.fragmentSize) {
      const events = keys.slice(begin, begin + this.fragmentSize).map((key) =>
        key.startsWith('-')
          ? {
              type: EventType.DELETE,
              entry: { key, modRevision: revision },
              deleteReason: DeleteReason.EXPIRED,
            }
          : { type: EventType.PUT, entry: { key, modRevision: revision } },
      );
      const moreFragments = begin + this.fragmentSize < keys.length;
      const commitTime = { seconds: revision, nanos: 0 };
      yield { message: { case: 'events', value: { revision, commitTime, events, moreFragments } } };
    }
  }

  #otherStore(requestedStoreId: string): Error {
    const value = { requestedStoreId, storeId: this.storeId };
    return kelpFailure(Code.FailedPrecondition, ErrorReason.OTHER_STORE, { case: 'otherStore', value });
  }

  #historyDiffers(requested: number, requestedIncarnation: string): Error {
    return kelpFailure(Code.FailedPrecondition, ErrorReason.HISTORY_DIFFERS, {
      case: 'historyDiffers',
      value: {
        requestedRevision: BigInt(requested),
        requestedIncarnation,
        incarnation: this.#writers[requested - 1] ?? '',
        newestRevision: BigInt(this.log.length),
      },
    });
  }

  #outOfRange(reason: ErrorReason, requested: number): Error {
    return kelpFailure(Code.OutOfRange, reason, {
      case: 'revisionOutOfRange',
      value: {
        requestedRevision: BigInt(requested),
        oldestRevision: BigInt(this.compactedRevision),
        newestRevision: BigInt(this.log.length),
      },
    });
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake.delete(wake);
        resolve();
      };
      this.#wake.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
