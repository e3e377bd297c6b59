/**
 * A connection to another node: opening, open, or over. While calls are under way and nothing comes of them it is asked for a sign of
 * life; one that gives none is closed, and so is one that has had no call for long.
 */
import { type Socket, connect as connectPlain } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Clock, Timer } from '../../clock.ts';
import { ClientConnection } from '../../http2/connection/client-connection.ts';
import type { ConnectionEnd } from '../../http2/contract/endpoint.ts';
import type { Field } from '../../http2/contract/fields.ts';
import type { ClientStream, ClientStreamHandler } from '../../http2/contract/stream.ts';
import { forwarding as limits } from '../../limits.ts';

export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** What a connection tells the one who has opened it. */
export interface PeerConnectionOwner {
  /** It takes calls: it is open, or has room again. */
  ready(connection: PeerConnection): void;
  /** It takes no new calls any more, or never did. @param reason why, if it was never open. */
  over(connection: PeerConnection, reason: Error): void;
}

/** @param tls `undefined`: plain text. */
export function openPeerSocket({ host, port }: PeerAddress, tls: ConnectionOptions | undefined): Socket {
  if (tls === undefined) return connectPlain({ host, port, noDelay: true });
  return connectTls({ ...tls, host, port, ALPNProtocols: ['h2'] }).setNoDelay();
}

export class PeerConnection {
  readonly #owner: PeerConnectionOwner;
  readonly #clock: Clock;
  readonly #socket: Socket;
  #connection: ClientConnection | undefined;
  #isOpen = false;
  #isOver = false;
  #underWay = 0;
  #heardBytes = 0;
  /** First for the connection to be made, then for signs of life. */
  #timer: Timer;

  /** @param socket connects, over TLS if `hasTls`. */
  constructor(socket: Socket, hasTls: boolean, clock: Clock, owner: PeerConnectionOwner) {
    this.#owner = owner;
    this.#clock = clock;
    this.#socket = socket;
    const late = (): void => this.#end(new Error(`it did not answer within ${limits.connectMs} ms`));
    this.#timer = clock.setTimer(limits.connectMs, late);
    socket.once(hasTls ? 'secureConnect' : 'connect', () => this.#connect());
    // More than one may come, also late.
    socket.on('error', (error) => this.#end(error));
    socket.once('close', () => this.#end(new Error('it closed the connection')));
  }

  get hasRoom(): boolean {
    return this.#isOpen && this.#connection !== undefined && this.#connection.freeStreams > 0;
  }

  /** Begins a call; `ended` is to be called once its stream is closed. @returns `undefined`: there was no room, and nothing was sent. */
  request(fields: readonly Field[], handler: ClientStreamHandler): ClientStream | undefined {
    const stream = this.#connection?.request(fields, handler);
    if (stream !== undefined && ++this.#underWay === 1) this.#watchFor(limits.silenceMs);
    return stream;
  }

  ended(): void {
    if (--this.#underWay === 0) this.#watchFor(limits.idleMs);
  }

  /** Takes no new calls; those under way go on. */
  leave(): void {
    if (this.#connection === undefined) this.destroy();
    else this.#connection.leave();
  }

  destroy(): void {
    if (this.#connection === undefined) this.#end(new Error('the server stops'));
    else this.#connection.destroy();
  }

  #connect(): void {
    if (this.#isOver) return;
    const options = {
      clock: this.#clock,
      streamWindowBytes: limits.streamWindowBytes,
      connectionWindowBytes: limits.connectionWindowBytes,
      isConnectionWindowHeld: false,
      headerListBytesMax: limits.headerBytesMax,
      handshakeTimeoutMs: limits.connectMs,
    };
    this.#connection = new ClientConnection(this.#socket, options, {
      opened: () => this.#open(),
      roomMade: () => this.#owner.ready(this),
      goingAway: () => this.#leave(new Error('it takes no new calls')),
      closed: (end) => this.#closed(end),
    });
  }

  #open(): void {
    if (this.#isOver) return;
    this.#isOpen = true;
    this.#watchFor(limits.idleMs);
    this.#owner.ready(this);
  }

  #watchFor(delayMs: number): void {
    this.#timer.cancel();
    this.#heardBytes = this.#connection?.bytesRead ?? 0;
    this.#timer = this.#clock.setTimer(delayMs, () => this.#look());
  }

  #look(): void {
    const connection = this.#connection;
    if (connection === undefined || connection.isEnding) return;
    if (this.#underWay === 0) return this.leave();
    if (connection.bytesRead !== this.#heardBytes) return this.#watchFor(limits.silenceMs);
    // What becomes of it shows by the bytes that come, an answer or another.
    connection.ping().catch(() => undefined);
    const { bytesRead } = connection;
    this.#timer = this.#clock.setTimer(limits.pingTimeoutMs, () => {
      // After the process was held up, what has come meanwhile is read only now.
      this.#clock.yieldNow(() => {
        if (connection.bytesRead !== bytesRead) this.#watchFor(limits.silenceMs);
        else connection.destroy(new Error('it gave no sign of life'));
      });
    });
  }

  /** What is under way goes on. */
  #leave(reason: Error): void {
    this.#isOpen = false;
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.over(this, reason);
  }

  #closed(end: ConnectionEnd): void {
    this.#timer.cancel();
    this.#leave(reasonOf(end));
  }

  /** Once there is a connection, that tells how it ended. */
  #end(reason: Error): void {
    if (this.#connection !== undefined && this.#isOpen) return;
    this.#timer.cancel();
    this.#leave(reason);
    if (this.#connection === undefined) this.#socket.destroy();
    else this.#connection.destroy(reason);
  }
}

function reasonOf(end: ConnectionEnd): Error {
  const error = 'error' in end ? end.error : undefined;
  return error ?? new Error('reason' in end ? end.reason : 'it closed the connection');
}
