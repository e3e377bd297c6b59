/** The lane of gRPC with streams that a test plays and methods of its own. */
import { encodeEnvelope } from '@connectrpc/connect/protocol';
import { pino } from 'pino';
import { expect, onTestFinished } from 'vitest';
import * as codec from '../../../gen/kelp/v1/kv_codec.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';
import * as leaseCodec from '../../../gen/kelp/v1/lease_codec.ts';
import { LeaseService } from '../../../gen/kelp/v1/lease_pb.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import * as adminCodec from '../../../gen/kelp/v1/admin_codec.ts';
import * as watchCodec from '../../../gen/kelp/v1/watch_codec.ts';
import { WatchService } from '../../../gen/kelp/v1/watch_pb.ts';
import { checkUser } from '../../../src/access/checks.ts';
import { Deadlines } from '../../../src/deadlines.ts';
import { ServerConnection } from '../../../src/http2/connection/server-connection.ts';
import type { Field } from '../../../src/http2/contract/fields.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import type { KvStore } from '../../../src/kv/kv-store.ts';
import { serverDefaults } from '../../../src/limits.ts';
import type { Call } from '../../../src/server/calls/call.ts';
import { CallTable } from '../../../src/server/calls/call-table.ts';
import { mapped } from '../../../src/server/calls/mapped.ts';
import { grpcLane } from '../../../src/server/grpc/grpc-lane.ts';
import { Routes } from '../../../src/server/grpc/routes.ts';
import { ServerState } from '../../../src/server/health/server-state.ts';
import {
  type Method,
  type PushStreamMethod,
  bidiStream,
  pushStream,
  serverStream,
  unary,
} from '../../../src/server/services/method.ts';
import { connectionOptions } from '../../../src/server/listener/http2-port.ts';
import { FakeSocket } from '../../http2/support/fake-socket.ts';
import { preface, settingsAcknowledged, settingsFrame } from '../../http2/support/frames.ts';
import { StepClock } from '../../http2/support/step-clock.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openLogins } from '../../support/open-access.ts';
import { FakeStream, headOf } from './fake-stream.ts';

export const GET = '/kelp.v1.KvService/Get';
export const BACKUP = '/kelp.v1.AdminService/Backup';
export const WATCH = '/kelp.v1.WatchService/Watch';
export const KEEP_ALIVE = '/kelp.v1.LeaseService/KeepAlive';
export const REQUEST_BYTES_MAX = 1000;

/** What `Get` does in a test; its answer is its revision. */
export type Get = (
  request: codec.GetRequestShape,
  call: Call,
) => codec.GetResponseShape | Promise<codec.GetResponseShape>;
type Backup = (call: Call, signal: AbortSignal) => AsyncIterable<adminCodec.BackupResponseShape>;
export type KeepAlive = (
  requests: AsyncIterable<leaseCodec.KeepAliveRequestShape>,
  call: Call,
) => AsyncIterable<leaseCodec.KeepAliveResponseShape>;

interface Parts {
  readonly get?: Get;
  readonly backup?: Backup;
  readonly keepAlive?: KeepAlive;
  readonly watch?: PushStreamMethod['open'];
  readonly callsMax?: number;
  readonly callBytesMax?: number;
}

export class Lane {
  readonly clock = new ManualClock();
  readonly state = new ServerState();
  readonly calls: CallTable;
  readonly logged: string[] = [];
  readonly #lane: ReturnType<typeof grpcLane>;

  constructor({ get, backup, keepAlive, watch, ...limits }: Parts) {
    this.state.enter('serving');
    this.calls = new CallTable({ ...serverDefaults, callsMax: 10, ...limits });
    const methods: Method[] = [];
    methods.push(
      unary(
        KvService.method.get,
        { read: codec.readGetRequest, sizeOf: codec.sizeOfGetResponse, prepend: codec.prependGetResponse },
        checkUser,
        (_, request, call) => get?.(request, call) ?? { entry: undefined, revision: request.key.length },
      ),
      serverStream(
        AdminService.method.backup,
        {
          read: adminCodec.readBackupRequest,
          sizeOf: adminCodec.sizeOfBackupResponse,
          prepend: adminCodec.prependBackupResponse,
        },
        'here',
        () => checkUser,
        (_, request, call, signal) => backup?.(call, signal) ?? noReplies(),
      ),
      pushStream(
        WatchService.method.watch,
        { read: watchCodec.readWatchRequest },
        () => checkUser,
        (store, request, call, outlet) => {
          if (watch === undefined) throw new Error('the test has no pushed replies');
          return watch(store, request, call, outlet);
        },
      ),
      bidiStream(
        LeaseService.method.keepAlive,
        {
          read: leaseCodec.readKeepAliveRequest,
          sizeOf: leaseCodec.sizeOfKeepAliveResponse,
          prepend: leaseCodec.prependKeepAliveResponse,
        },
        'writer',
        checkUser,
        (_, requests, call) =>
          keepAlive?.(
            mapped(requests, (each) => each.read()),
            call,
          ) ?? noReplies(),
      ),
    );
    const services = methods.map((method) => ({
      desc: method.desc.parent,
      methods: [method],
      requestBytesMax: REQUEST_BYTES_MAX,
    }));
    const logger = pino({ level: 'error' }, { write: (line) => void this.logged.push(line) });
    const context = {
      store: () => ({}) as KvStore,
      state: this.state,
      logins: openLogins,
      calls: this.calls,
      deadlines: new Deadlines(this.clock),
      limits: { requestTimeoutMs: 60_000 },
      logger,
    };
    this.#lane = grpcLane(
      context,
      new Routes(services, this.calls.meters, (path) => path === '/grpc.health.v1.Health/Check'),
    );
  }

  open(path: string, fields: readonly Field[] = [], stream = new FakeStream()): FakeStream {
    stream.handler = this.#lane(stream, headOf(path, fields));
    return stream;
  }

  /** A connection all of whose requests come to the lane, and what its client's end is. */
  connect(): { receive: (...frames: readonly Uint8Array[]) => void; socket: FakeSocket } {
    const clock = new StepClock();
    const socket = new FakeSocket(clock);
    const options = { ...connectionOptions(serverDefaults, clock), onClosed: () => undefined };
    const connection = new ServerConnection(socket.asSocket, options, (stream, head) => {
      const handler = this.#lane(stream, head);
      if (handler === undefined) throw new Error(`no call of gRPC: ${head.path}`);
      return handler;
    });
    onTestFinished(() => {
      connection.destroy();
      clock.settle();
    });
    const receive = (...frames: readonly Uint8Array[]): void => {
      for (const frame of frames) socket.receive(Buffer.from(frame));
      clock.settle();
    };
    receive(preface, settingsFrame(), settingsAcknowledged);
    return { receive, socket };
  }
}

export async function* noReplies(): AsyncGenerator<never> {}

export function message(request: Partial<codec.GetRequestShape>): Buffer {
  const shape = { ...codec.emptyGetRequest(), ...request };
  const bytes = Buffer.alloc(codec.sizeOfGetRequest(shape));
  codec.writeGetRequest(shape, bytes, 0);
  return Buffer.from(encodeEnvelope(0, bytes));
}

export function renewal(leaseId: number): Buffer {
  const bytes = Buffer.alloc(leaseCodec.sizeOfKeepAliveRequest({ leaseId }));
  leaseCodec.writeKeepAliveRequest({ leaseId }, bytes, 0);
  return Buffer.from(encodeEnvelope(0, bytes));
}

/** Lets promises that are settled have their say. */
export async function turns(): Promise<void> {
  for (let count = 0; count < 3; count++) await new Promise(setImmediate);
}

export function headerBlock(path: string): Buffer {
  return encodeBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'kelp'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ]);
}

export function revisionIn(stream: FakeStream): number {
  const { body } = stream;
  expect(body.readUInt32BE(1)).toBe(body.length - 5);
  return codec.readGetResponse(body, 5, body.length).revision;
}

/** A lane whose method takes a first renewal, of lease 1, and no other before it is told to. */
export function laneThatRests(): { readonly lane: Lane; readonly resolve: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const lane = new Lane({
    async *keepAlive(requests) {
      for await (const { leaseId } of requests) {
        yield { leaseId, ttl: undefined };
        if (leaseId === 1) await promise;
      }
    },
  });
  return { lane, resolve };
}
