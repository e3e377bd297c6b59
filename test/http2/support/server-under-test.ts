/** The server's side of a connection, on a socket whose other end the test plays, with users that note what they are told. */
import type { ConnectionEnd } from '../../../src/http2/contract/endpoint.ts';
import type { ErrorCode } from '../../../src/http2/contract/error-code.ts';
import type { Field, RequestHead } from '../../../src/http2/contract/fields.ts';
import { encodeBlock } from '../../../src/http2/hpack/encoder.ts';
import {
  ServerConnection,
  type ServerConnectionOptions,
} from '../../../src/http2/connection/server-connection.ts';
import type {
  BodyWriter,
  ClosedBy,
  ServerStream,
  StreamHandler,
} from '../../../src/http2/contract/stream.ts';
import { FakeSocket } from './fake-socket.ts';
import { StepClock } from './step-clock.ts';
import { codeName, type Sent, sentIn, textOfBody, textOfFields, textOfSent } from './transcript.ts';

export const okHead = encodeBlock([
  [':status', '200'],
  ['content-type', 'application/grpc'],
]);
export const okTrailers = encodeBlock([['grpc-status', '0']]);

/** A body of one byte, repeated. */
export const filler: BodyWriter<string> = {
  write(character, buffer, start, end) {
    buffer.fill(character, start, end, 'latin1');
  },
};

/** What a user does with a request; each may be left out. */
export interface Behaviour {
  begun?(request: Request): void;
  data?(request: Request, bytes: Buffer): void;
  end?(request: Request): void;
  drained?(request: Request): void;
  closed?(request: Request): void;
}

/** One request, and all that its user was told. */
export class Request implements StreamHandler {
  readonly stream: ServerStream;
  readonly head: RequestHead;
  body = '';
  bytes = 0;
  trailers: readonly Field[] | undefined;
  /** At most one: it comes once. */
  readonly closes: (readonly [code: ErrorCode, by: ClosedBy])[] = [];
  /** What came after `closed`, or after `end`: nothing may. */
  readonly late: string[] = [];
  readonly #behaviour: Behaviour;

  constructor(stream: ServerStream, head: RequestHead, behaviour: Behaviour) {
    this.stream = stream;
    this.head = head;
    this.#behaviour = behaviour;
    behaviour.begun?.(this);
  }

  data(buffer: Buffer, from: number, to: number): void {
    if (this.trailers !== undefined || this.closes.length > 0) this.late.push('data');
    const bytes = Buffer.from(buffer.subarray(from, to));
    this.body += bytes.toString('latin1');
    this.bytes += bytes.length;
    this.#behaviour.data?.(this, bytes);
  }

  end(trailers: readonly Field[]): void {
    if (this.trailers !== undefined || this.closes.length > 0) this.late.push('end');
    this.trailers = trailers;
    this.#behaviour.end?.(this);
  }

  drained(): void {
    if (this.closes.length > 0) this.late.push('drained');
    this.#behaviour.drained?.(this);
  }

  closed(code: ErrorCode, by: ClosedBy): void {
    if (this.closes.length > 0) this.late.push('closed');
    this.closes.push([code, by]);
    this.#behaviour.closed?.(this);
  }
}

export const serverOptions: Omit<ServerConnectionOptions, 'clock' | 'onClosed'> = {
  concurrentStreamsMax: 100,
  streamWindowBytes: 65_535,
  connectionWindowBytes: 65_535,
  isConnectionWindowHeld: true,
  headerListBytesMax: 16_384,
  handshakeTimeoutMs: 10_000,
};

export class ServerUnderTest {
  readonly clock = new StepClock();
  readonly socket = new FakeSocket(this.clock);
  readonly requests: Request[] = [];
  readonly connection: ServerConnection;
  readonly ends: ConnectionEnd[] = [];

  /** @param behaviourOf what the user of a request does. */
  constructor(
    behaviourOf: (head: RequestHead) => Behaviour = () => ({}),
    options: Partial<ServerConnectionOptions> = {},
  ) {
    this.connection = new ServerConnection(
      this.socket.asSocket,
      {
        ...serverOptions,
        ...options,
        clock: this.clock,
        onClosed: (_connection, end) => this.ends.push(end),
      },
      (stream, head) => {
        const request = new Request(stream, head, behaviourOf(head));
        this.requests.push(request);
        return request;
      },
    );
  }

  /** Gives it bytes, and lets everything happen that follows. */
  receive(...parts: readonly Uint8Array[]): this {
    this.socket.receive(Buffer.concat(parts));
    this.clock.settle();
    return this;
  }

  get sent(): Sent {
    return sentIn(this.socket.frames);
  }

  /** What the users of all requests were told, what was sent, and how the connection ended: a line for each. */
  get text(): string {
    return [
      ...this.requests.map(textOfRequest),
      ...textOfSent(this.sent),
      ...this.ends.map((end) => `  over: ${JSON.stringify(end)}`),
    ].join('\n');
  }
}

function textOfRequest({ stream, head, body, trailers, closes, late }: Request): string {
  const { method, path, contentLength, fields } = head;
  const parts = [`${method} ${path}`, textOfFields(fields)];
  if (contentLength !== undefined) parts.push(`length ${contentLength}`);
  if (body !== '') parts.push(textOfBody(body));
  if (trailers !== undefined) parts.push(trailers.length > 0 ? `end, ${textOfFields(trailers)}` : 'end');
  parts.push(...closes.map(([code, by]) => `closed by ${by}, ${codeName(code)}`));
  parts.push(...late.map((what) => `AFTER THE END: ${what}`));
  return `  received on ${stream.id}: ${parts.join('; ')}`;
}
