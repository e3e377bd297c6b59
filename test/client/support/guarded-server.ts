/** A server over HTTP/2 that knows some credentials, tells what each request has shown, and can take credentials away. */
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { onTestFinished } from 'vitest';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { ErrorReason } from '../../../gen/kelp/v1/errors_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { EventType, WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { kelpFailure } from './fake-server.ts';

export interface Seen {
  readonly method: string;
  readonly authorization: string | null;
}

export const refused = (): Error =>
  kelpFailure(Code.Unauthenticated, ErrorReason.UNAUTHENTICATED, undefined, 'the credentials are not right');

export class GuardedServer {
  /** What `authorization` may be. */
  readonly valid: Set<string>;
  readonly seen: Seen[] = [];
  url = '';
  #revoked = Promise.withResolvers<void>();

  constructor(valid: readonly string[]) {
    this.valid = new Set(valid);
  }

  /** Takes one set of credentials away, and gives another: streams that were opened with it end. */
  replace(before: string, after: string): void {
    this.valid.delete(before);
    this.valid.add(after);
    const revoked = this.#revoked;
    this.#revoked = Promise.withResolvers<void>();
    revoked.resolve();
  }

  shown(method: string): (string | null)[] {
    return this.seen.filter((each) => each.method === method).map(({ authorization }) => authorization);
  }

  readonly routes = (router: ConnectRouter): void => {
    let revision = 0n;
    const guarded =
      <Request, Reply>(run: (request: Request) => Reply) =>
      (request: Request, context: HandlerContext): Reply => {
        this.#check(context);
        return run(request);
      };
    router.service(KvService, {
      get: guarded(({ key }) => ({ entry: { key, value: Buffer.from(key) }, revision })),
      put: guarded(() => ({ revision: ++revision })),
      scanStream: (request, context) => this.#chunks(Number(request.pageToken || '0'), context),
      pipeline: (requests, context) => this.#results(requests, context),
    });
    router.service(LeaseService, {
      grant: guarded(() => ({ leaseId: 7n, ttl: { seconds: 60n, nanos: 0 } })),
      renew: guarded(() => ({ ttl: { seconds: 60n, nanos: 0 } })),
    });
    router.service(AdminService, {
      backup: (_, context) => {
        this.#check(context);
        return (async function* () {
          await Promise.resolve();
          yield { data: Buffer.from('backup') };
        })();
      },
    });
    router.service(WatchService, {
      watch: ({ startRevision }, context) => this.#events(startRevision, context),
    });
  };

  #check({ requestHeader, method }: HandlerContext): void {
    const authorization = requestHeader.get('authorization');
    this.seen.push({ method: method.name, authorization });
    if (authorization === null || !this.valid.has(authorization)) throw refused();
  }

  /** One event, and then what comes when the credentials are taken away. */
  async *#events(startRevision: bigint, context: HandlerContext): AsyncGenerator<object> {
    this.#check(context);
    const revision = startRevision === 0n ? 1n : startRevision;
    const message = {
      events: { revision, events: [{ type: EventType.PUT, key: 'k', entry: { key: 'k' } }] },
    };
    yield { message: { case: 'events', value: message.events }, storeId: 's', incarnation: 'i' };
    await this.#untilRevoked(context);
  }

  /** Three chunks; the credentials are taken away behind the first of a stream. */
  async *#chunks(from: number, context: HandlerContext): AsyncGenerator<object> {
    this.#check(context);
    for (let index = from; index < 3; index++) {
      const key = `k${index}`;
      const nextPageToken = index === 2 ? '' : String(index + 1);
      yield { entries: [{ key, value: Buffer.from(key) }], revision: 1n, nextPageToken };
      if (index === 0) await this.#untilRevoked(context);
    }
  }

  async *#results(
    requests: AsyncIterable<{
      readonly operations: readonly { readonly operation: { readonly case?: string | undefined } }[];
    }>,
    context: HandlerContext,
  ): AsyncGenerator<object> {
    this.#check(context);
    const authorization = context.requestHeader.get('authorization') ?? '';
    for await (const { operations } of requests) {
      if (!this.valid.has(authorization)) throw refused();
      yield {
        results: operations.map(({ operation }) => ({
          result:
            operation.case === 'get' || operation.case === 'put'
              ? { case: operation.case, value: { revision: 1n } }
              : { case: 'failure', value: { code: Code.InvalidArgument, message: 'no operation' } },
        })),
      };
    }
  }

  async #untilRevoked({ signal }: HandlerContext): Promise<never> {
    const closed = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    await Promise.race([this.#revoked.promise, closed]);
    throw refused();
  }
}

/** @param valid what `authorization` may be at first. */
export async function startGuarded(...valid: string[]): Promise<GuardedServer> {
  const guarded = new GuardedServer(valid);
  const server = createServer(connectNodeAdapter({ routes: guarded.routes }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  guarded.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => void server.close());
  return guarded;
}
