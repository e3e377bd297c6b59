/**
 * A client of any service through `@grpc/grpc-js`, the gRPC library that is neither ours nor Connect's, with messages
 * encoded by protobuf-es.
 */
import {
  type DescMessage,
  type DescMethodBiDiStreaming,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
  create,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  InterceptingCall,
  type Interceptor,
  type ServiceError,
  credentials,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { type ErrorDetail, ErrorDetailSchema } from '../../gen/kelp/v1/errors_pb.ts';

export class GrpcJsClient {
  readonly #client: Client;

  /** Closed when the test ends. @param authorization of each call; left out: none. */
  constructor(
    address: string,
    channelCredentials: ChannelCredentials = credentials.createInsecure(),
    authorization?: string,
  ) {
    this.#client = new Client(address, channelCredentials, {
      ...(authorization !== undefined && { interceptors: [showing(authorization)] }),
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      // Each client has connections of its own.
      'grpc.use_local_subchannel_pool': 1,
    });
    onTestFinished(() => this.#client.close());
  }

  /** Rejects with a `ServiceError`. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const { promise, resolve, reject } = Promise.withResolvers<MessageShape<O>>();
    this.#client.makeUnaryRequest<MessageInitShape<I>, MessageShape<O>>(
      pathOf(method),
      serializer(method.input),
      deserializer(method.output),
      request,
      options,
      (error, response) => {
        if (error === null && response !== undefined) resolve(response);
        else reject(error ?? new Error('neither an error nor a response'));
      },
    );
    return promise;
  }

  serverStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): ClientReadableStream<MessageShape<O>> {
    return this.#client.makeServerStreamRequest<MessageInitShape<I>, MessageShape<O>>(
      pathOf(method),
      serializer(method.input),
      deserializer(method.output),
      request,
      options,
    );
  }

  bidiStream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodBiDiStreaming<I, O>,
  ): ClientDuplexStream<MessageInitShape<I>, MessageShape<O>> {
    return this.#client.makeBidiStreamRequest<MessageInitShape<I>, MessageShape<O>>(
      pathOf(method),
      serializer(method.input),
      deserializer(method.output),
    );
  }
}

function showing(authorization: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set('authorization', authorization);
        next(metadata, listener);
      },
    });
}

/** The typed detail of an error, as grpc-js leaves it in the metadata. */
export function detailOf(error: unknown): ErrorDetail | undefined {
  const [status] = (error as ServiceError).metadata.get('grpc-status-details-bin');
  if (!(status instanceof Uint8Array)) return undefined;
  const headers = new Headers({ 'grpc-status-details-bin': Buffer.from(status).toString('base64') });
  return findTrailerError(headers)?.findDetails(ErrorDetailSchema)[0];
}

function pathOf(method: { readonly name: string; readonly parent: { readonly typeName: string } }): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function serializer<Schema extends DescMessage>(
  schema: Schema,
): (message: MessageInitShape<Schema>) => Buffer {
  return (message) => Buffer.from(toBinary(schema, create(schema, message)));
}

function deserializer<Schema extends DescMessage>(schema: Schema): (bytes: Buffer) => MessageShape<Schema> {
  return (bytes) => fromBinary(schema, bytes);
}
