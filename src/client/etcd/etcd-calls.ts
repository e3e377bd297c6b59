/**
 * Calls of etcd's API to one of several members: the one that answered last, and when that is not there the next one. Each reply
 * must come from the cluster of the first.
 *
 * Messages are those of protobuf-es, whose 64-bit integers are `bigint`: ids of clusters, members and leases use all bits.
 */
import { type DescMessage, type MessageShape, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AuthenticateRequestSchema,
  AuthenticateResponseSchema,
  type ResponseHeader,
} from '../../../gen/etcd/api/etcdserverpb/rpc_pb.ts';
import { grpcCode } from '../../grpc-code.ts';
import { client as limits } from '../../limits.ts';
import type { Method } from '../calls/method.ts';
import type { ServerAddress } from '../connection/address.ts';
import type { TlsOptions } from '../connection/socket.ts';
import { CallFailure } from '../errors/call-failure.ts';
import { Http2Transport } from '../transports/http2-transport.ts';
import { EtcdError, type EtcdFlagsPrefix, etcdErrorOf } from './etcd-error.ts';

/** With a password a token is asked for, which etcd forgets when it was not used for some minutes: then for another. */
export type EtcdLogin =
  { readonly user: string; readonly password: string } | { readonly token: string } | undefined;

export interface EtcdOptions {
  /** At least one. */
  readonly addresses: readonly ServerAddress[];
  readonly tls: TlsOptions;
  readonly login: EtcdLogin;
  /** Of each try. Default: that of a call of the client. */
  readonly timeoutMs?: number | undefined;
  /** What the options of the command begin with that lead here, for advice. Default `--etcd`. */
  readonly flags?: EtcdFlagsPrefix | undefined;
}

/** A request goes out as bytes, which are made once. */
export type EtcdMethod<Reply> = Method<Uint8Array, Reply>;

interface Headed {
  readonly header?: ResponseHeader | undefined;
}

export function etcdMethod<Output extends DescMessage>(
  path: string,
  output: Output,
): EtcdMethod<MessageShape<Output>> {
  return {
    path: `/etcdserverpb.${path}`,
    sizeOf: (request) => request.length,
    prepend: (request, buffer, end) => {
      buffer.set(request, end - request.length);
      return end - request.length;
    },
    read: (buffer, start, end) => {
      try {
        return fromBinary(output, buffer.subarray(start, end));
      } catch (error) {
        throw new CallFailure(grpcCode.Internal, 'the reply is no message of etcd', { cause: error });
      }
    },
    piped: undefined,
  };
}

const authenticate = etcdMethod('Auth/Authenticate', AuthenticateResponseSchema);

export class EtcdCalls {
  readonly #transports: readonly Http2Transport[];
  readonly #login: EtcdLogin;
  readonly #timeoutMs: number;
  readonly #flags: EtcdFlagsPrefix;
  #current = 0;
  #isLoggedIn = false;
  #clusterId: bigint | undefined;

  constructor({ addresses, tls, login, timeoutMs = limits.deadlineMs, flags = '--etcd' }: EtcdOptions) {
    this.#login = login;
    this.#timeoutMs = timeoutMs;
    this.#flags = flags;
    this.#transports = addresses.map(
      (address) => new Http2Transport({ address, tls, connectionsMax: 1, isPipelined: false }),
    );
    if (login !== undefined && 'token' in login) {
      for (const transport of this.#transports) transport.authorize(login.token);
      this.#isLoggedIn = true;
    }
  }

  close(): void {
    for (const transport of this.#transports) transport.close();
  }

  /** Tries each member once. Rejects with an `EtcdError`, and with the reason of the signal once that is aborted. */
  async unary<Reply extends Headed>(
    method: EtcdMethod<Reply>,
    request: Uint8Array,
    signal: AbortSignal,
  ): Promise<Reply> {
    for (let tries = 1; ; tries++) {
      const transport = this.#transport;
      try {
        return await this.#loggedIn(transport, signal, async () => {
          const reply = await transport.unary(method, request, this.#timeoutMs, signal, undefined);
          this.#checkCluster(reply, transport.address);
          return reply;
        });
      } catch (failure) {
        // Also for who gives up before a try does, and would else ask a member that never answers for ever.
        if (signal.aborted) this.#leave(transport);
        signal.throwIfAborted();
        const error = etcdErrorOf(failure, transport.address, this.#flags);
        if (error.kind !== 'unavailable') throw error;
        this.#leave(transport);
        if (tries >= this.#transports.length) throw error;
      }
    }
  }

  /** Made once, to the present member. Throws as `unary` rejects. */
  async *stream<Reply extends Headed>(
    method: EtcdMethod<Reply>,
    request: Uint8Array,
    signal: AbortSignal,
  ): AsyncGenerator<Reply, void, undefined> {
    const transport = this.#transport;
    try {
      // A stream can't begin again by itself, so it begins when the login is known to be good.
      await this.#loggedIn(transport, signal, async () => undefined);
      for await (const reply of transport.stream(method, request, undefined, signal, undefined)) {
        this.#checkCluster(reply, transport.address);
        yield reply;
      }
    } catch (failure) {
      signal.throwIfAborted();
      const error = etcdErrorOf(failure, transport.address, this.#flags);
      if (error.kind === 'unavailable') this.#leave(transport);
      // The next one begins with another token.
      if (error.kind === 'refused') this.#isLoggedIn = false;
      throw error;
    }
  }

  get #transport(): Http2Transport {
    const transport = this.#transports[this.#current];
    if (transport === undefined) throw new EtcdError('other', 'there is no address of an etcd');
    return transport;
  }

  #leave(transport: Http2Transport): void {
    if (this.#transport === transport) this.#current = (this.#current + 1) % this.#transports.length;
  }

  /** Makes a call with a token, once more with another one when it is refused. */
  async #loggedIn<Reply>(
    transport: Http2Transport,
    signal: AbortSignal,
    call: () => Promise<Reply>,
  ): Promise<Reply> {
    const login = this.#login;
    if (login === undefined || 'token' in login) return call();
    if (this.#isLoggedIn) {
      try {
        return await call();
      } catch (failure) {
        if (etcdErrorOf(failure, transport.address, this.#flags).kind !== 'refused') throw failure;
      }
    }
    const request = toBinary(
      AuthenticateRequestSchema,
      create(AuthenticateRequestSchema, { name: login.user, password: login.password }),
    );
    // One that it has forgotten would be refused here, too.
    transport.authorize(undefined);
    const { token } = await transport.unary(authenticate, request, this.#timeoutMs, signal, undefined);
    for (const each of this.#transports) each.authorize(token);
    this.#isLoggedIn = true;
    return call();
  }

  #checkCluster({ header }: Headed, address: string): void {
    const clusterId = header?.clusterId ?? 0n;
    this.#clusterId ??= clusterId;
    if (clusterId === this.#clusterId) return;
    throw new EtcdError(
      'other',
      `what answers at ${address} is of another cluster (${clusterId.toString(16)}) than what was read before ` +
        `(${this.#clusterId.toString(16)}), and its revisions are others`,
    );
  }
}
