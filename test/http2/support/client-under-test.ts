/** The client's side of a connection, on a socket whose other end the test plays, with users that note what they are told. */
import {
  ClientConnection,
  type ClientConnectionOwner,
} from '../../../src/http2/connection/client-connection.ts';
import type { ConnectionEnd, EndpointOptions } from '../../../src/http2/contract/endpoint.ts';
import type { ErrorCode } from '../../../src/http2/contract/error-code.ts';
import type { Field, ResponseHead } from '../../../src/http2/contract/fields.ts';
import type { ClientStream, ClientStreamHandler, ClosedBy } from '../../../src/http2/contract/stream.ts';
import { FakeSocket } from './fake-socket.ts';
import { preface } from './frames.ts';
import { serverOptions } from './server-under-test.ts';
import { StepClock } from './step-clock.ts';
import { type Sent, sentIn } from './transcript.ts';

/** What a user does with its response; each may be left out. */
export interface ClientBehaviour {
  data?(response: Response, bytes: Buffer): void;
  drained?(response: Response): void;
  closed?(response: Response): void;
}

/** One request, and all that its user was told. */
export class Response implements ClientStreamHandler {
  /** Undefined when there was no room for it. */
  stream: ClientStream | undefined;
  readonly heads: ResponseHead[] = [];
  body = '';
  trailers: readonly Field[] | undefined;
  readonly closes: (readonly [code: ErrorCode, by: ClosedBy])[] = [];
  /** What came after `closed`, after `end`, or before a head: nothing may. */
  readonly late: string[] = [];
  readonly #behaviour: ClientBehaviour;

  constructor(behaviour: ClientBehaviour) {
    this.#behaviour = behaviour;
  }

  head(head: ResponseHead): void {
    if (this.heads.length > 0 || this.closes.length > 0) this.late.push('head');
    this.heads.push(head);
  }

  data(buffer: Buffer, from: number, to: number): void {
    if (this.heads.length === 0 || this.trailers !== undefined || this.closes.length > 0)
      this.late.push('data');
    const bytes = Buffer.from(buffer.subarray(from, to));
    this.body += bytes.toString('latin1');
    this.#behaviour.data?.(this, bytes);
  }

  end(trailers: readonly Field[]): void {
    if (this.heads.length === 0 || this.trailers !== undefined || this.closes.length > 0)
      this.late.push('end');
    this.trailers = trailers;
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

export const callFields: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/call'],
  [':authority', 'kelp'],
  ['te', 'trailers'],
];

/** What the owner of the connection is told, in order. */
export type Told =
  | 'opened'
  | 'roomMade'
  | readonly [told: 'goingAway', code: ErrorCode, debugText: string]
  | readonly [told: 'closed', end: ConnectionEnd];

export class ClientUnderTest {
  readonly clock = new StepClock();
  readonly socket = new FakeSocket(this.clock, preface.length);
  readonly told: Told[] = [];
  readonly responses: Response[] = [];
  readonly connection: ClientConnection;

  constructor(options: Partial<EndpointOptions> = {}, owner: Partial<ClientConnectionOwner> = {}) {
    const { streamWindowBytes, connectionWindowBytes, headerListBytesMax, handshakeTimeoutMs } =
      serverOptions;
    this.connection = new ClientConnection(
      this.socket.asSocket,
      {
        streamWindowBytes,
        connectionWindowBytes,
        headerListBytesMax,
        handshakeTimeoutMs,
        isConnectionWindowHeld: false,
        ...options,
        clock: this.clock,
      },
      {
        opened: () => {
          this.told.push('opened');
          owner.opened?.();
        },
        roomMade: () => {
          this.told.push('roomMade');
          owner.roomMade?.();
        },
        goingAway: (code, debugText) => {
          this.told.push(['goingAway', code, debugText]);
          owner.goingAway?.(code, debugText);
        },
        closed: (end) => {
          this.told.push(['closed', end]);
          owner.closed?.(end);
        },
      },
    );
  }

  /** Begins a request, whose user then has `stream`, unless there was no room. */
  request(behaviour: ClientBehaviour = {}, fields: readonly Field[] = callFields): Response {
    const response = new Response(behaviour);
    response.stream = this.connection.request(fields, response);
    this.responses.push(response);
    return response;
  }

  /** A request without a body. */
  call(behaviour: ClientBehaviour = {}, fields: readonly Field[] = callFields): Response {
    const response = this.request(behaviour, fields);
    response.stream?.end();
    return response;
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
}
