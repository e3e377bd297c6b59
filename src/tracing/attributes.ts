/**
 * The names and values of what spans of calls say, after OpenTelemetry's semantic conventions for RPC, HTTP and databases. Never a key
 * or a value, nor the text of an error, which may hold one.
 */
import { type GrpcCode, grpcCode, nameOfCode } from '../grpc-code.ts';

export const attribute = {
  DB_OPERATION: 'db.operation.name',
  DB_SYSTEM: 'db.system.name',
  ERROR_TYPE: 'error.type',
  FLUSH_BYTES: 'kelpdb.flush.bytes',
  FLUSH_RECORDS: 'kelpdb.flush.records',
  HTTP_METHOD: 'http.request.method',
  HTTP_ROUTE: 'http.route',
  HTTP_STATUS: 'http.response.status_code',
  /** An operation of a batch, and no call of its own. */
  IN_BATCH: 'kelpdb.in_batch',
  RPC_METHOD: 'rpc.method',
  RPC_STATUS: 'rpc.response.status_code',
  RPC_SYSTEM: 'rpc.system.name',
  SERVER_ADDRESS: 'server.address',
  SERVER_PORT: 'server.port',
} as const;

export const DB_SYSTEM = 'kelpdb';

/** The protocols that calls come by. */
export const rpcSystem = { GRPC: 'grpc', CONNECT: 'connectrpc' } as const;
export type RpcSystem = (typeof rpcSystem)[keyof typeof rpcSystem];

/** As gRPC writes its codes: `DEADLINE_EXCEEDED`. */
const grpcTextByName: ReadonlyMap<string, string> = new Map(
  Object.keys(grpcCode).map((name) => [
    name,
    name === 'Canceled' ? 'CANCELLED' : name.replace(/(?!^)(?=[A-Z])/g, '_').toUpperCase(),
  ]),
);

/** As Connect writes those of errors: `deadline_exceeded`. */
const connectTextByName: ReadonlyMap<string, string> = new Map(
  Object.keys(grpcCode)
    .filter((name) => name !== 'Ok')
    .map((name) => [name, name.replace(/(?!^)(?=[A-Z])/g, '_').toLowerCase()]),
);

/** @param name of a code, as of `grpc-code.ts`. @returns `undefined` for what is none. */
export function statusText(system: RpcSystem, name: string): string | undefined {
  return (system === rpcSystem.GRPC ? grpcTextByName : connectTextByName).get(name);
}

export function statusTextOf(code: GrpcCode): string {
  return grpcTextByName.get(nameOfCode(code)) ?? '';
}
