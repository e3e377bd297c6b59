/** Clients of a server's services, each with its own credentials, over any door. */
import { type Client, ConnectError, type Interceptor, createClient } from '@connectrpc/connect';
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { AccessService } from '../../../gen/kelp/v1/access_pb.ts';
import { AdminService } from '../../../gen/kelp/v1/admin_pb.ts';
import { KvService } from '../../../gen/kelp/v1/kv_pb.ts';

export const doors = ['gRPC', 'gRPC-Web', 'Connect', 'Connect with JSON'] as const;
export type Door = (typeof doors)[number];

export interface Clients {
  readonly access: Client<typeof AccessService>;
  readonly admin: Client<typeof AdminService>;
  readonly kv: Client<typeof KvService>;
}

/** @param authorization the header, or what gives it for each call; left out: none. */
export function clientsOf(
  url: string,
  authorization?: string | (() => string),
  door: Door = 'gRPC',
): Clients {
  const transport = transportOf(url, door, authorization);
  return {
    access: createClient(AccessService, transport),
    admin: createClient(AdminService, transport),
    kv: createClient(KvService, transport),
  };
}

function transportOf(
  baseUrl: string,
  door: Door,
  authorization: string | (() => string) | undefined,
): ReturnType<typeof createGrpcTransport> {
  const show: Interceptor = (next) => (request) => {
    const shown = typeof authorization === 'function' ? authorization() : authorization;
    if (shown !== undefined) request.header.set('authorization', shown);
    return next(request);
  };
  const interceptors = [show];
  switch (door) {
    case 'gRPC':
      return createGrpcTransport({ baseUrl, interceptors });
    case 'gRPC-Web':
      return createGrpcWebTransport({ baseUrl, httpVersion: '1.1', interceptors });
    case 'Connect':
      return createConnectTransport({ baseUrl, httpVersion: '1.1', interceptors });
    case 'Connect with JSON':
      return createConnectTransport({
        baseUrl,
        httpVersion: '1.1',
        interceptors,
        useBinaryFormat: false,
      });
  }
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

export function bearer(secret: string): string {
  return `Bearer ${secret}`;
}

/** What a call that is refused is refused with. */
export async function refusalOf(call: Promise<unknown>): Promise<ConnectError> {
  const reason: unknown = await call.then(
    () => new Error('it was not refused'),
    (error: unknown) => error,
  );
  if (reason instanceof ConnectError) return reason;
  throw reason;
}
