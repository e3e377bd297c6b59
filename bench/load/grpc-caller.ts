/** Calls a gRPC server through `@grpc/grpc-js`, with messages that were encoded before the clock ran. */
import { Client, type ClientReadableStream, credentials, Metadata } from '@grpc/grpc-js';

const identity = (bytes: Buffer): Buffer => bytes;
const START_TIMEOUT_MS = 60_000;

export class GrpcCaller {
  readonly #client: Client;

  constructor(address: string) {
    // Without a pool of its own, a second caller would share the connection of the first.
    this.#client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
  }

  /** Resolves when the server can be reached. */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + START_TIMEOUT_MS, (error) =>
        error === undefined ? resolve() : reject(error),
      );
    });
  }

  call(path: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, identity, identity, request, (error, response) => {
        if (error !== null) reject(error);
        else resolve(response ?? Buffer.alloc(0));
      });
    });
  }

  stream<Message>(
    path: string,
    request: Buffer,
    read: (bytes: Buffer) => Message,
  ): ClientReadableStream<Message> {
    return this.#client.makeServerStreamRequest(path, identity, read, request, new Metadata());
  }

  close(): void {
    this.#client.close();
  }
}
