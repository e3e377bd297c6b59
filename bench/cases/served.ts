/**
 * Measures unary calls to `kelp serve --fsync always` through clients that programs use. Server and client share the
 * machine, and these clients take more time for a call than the server: `served-calls` shows what that can do.
 */
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { readGetResponse } from '../../gen/kelp/v1/kv_codec.ts';
import { KvService } from '../../gen/kelp/v1/kv_pb.ts';
import type { BenchCase } from '../bench-case.ts';
import { type CallTarget, measureCalls } from '../load/call-rates.ts';
import { keyOf, VALUE_BYTES } from '../load/data.ts';
import { GrpcCaller } from '../load/grpc-caller.ts';
import { GET_PATH, getRequest, PUT_PATH, putRequest } from '../load/kelp-requests.ts';
import { fillServed, servedDirectory } from '../load/served-data.ts';
import { startKelp } from '../load/kelp-server.ts';

export const served: BenchCase = {
  prepare: fillServed,

  async run(context) {
    const server = await startKelp(context, servedDirectory(context), 'always');
    try {
      const caller = new GrpcCaller(server.ready);
      await caller.connect();
      await checkReply(caller);
      await measureCalls(context, grpcTarget(caller));
      caller.close();
      await measureCalls(context, connectTarget(server.ready));
    } finally {
      await server.stop();
    }
  },
};

/** The loads look at no reply, so one is looked at here. */
async function checkReply(caller: GrpcCaller): Promise<void> {
  const reply = await caller.call(GET_PATH, getRequest(keyOf(0)));
  const byteLength = readGetResponse(reply, 0, reply.length).entry?.value.length;
  if (byteLength !== VALUE_BYTES) throw new Error(`the server gave a value of ${byteLength} bytes`);
}

function grpcTarget(caller: GrpcCaller): CallTarget<Buffer> {
  return {
    name: '@grpc/grpc-js',
    get: getRequest,
    put: putRequest,
    call: (request, kind) => caller.call(kind === 'get' ? GET_PATH : PUT_PATH, request),
  };
}

function connectTarget(address: string): CallTarget<{ readonly key: string; readonly value: Uint8Array }> {
  const client = createClient(KvService, createGrpcTransport({ baseUrl: `http://${address}` }));
  return {
    name: 'connect-node, gRPC',
    get: (key) => ({ key, value: new Uint8Array(0) }),
    put: (key, value) => ({ key, value }),
    call: ({ key, value }, kind) => (kind === 'get' ? client.get({ key }) : client.put({ key, value })),
  };
}
