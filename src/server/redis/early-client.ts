/**
 * `EarlyClient`: a client that has come before the store is open. Commands get LOADING as from Redis, and INFO says so. What prepares
 * a connection (HELLO, AUTH, SELECT, CLIENT) waits for the store, and all that comes behind it: clients send these by themselves when
 * they connect, and would take an error for a server that they can't talk to.
 */
import type { Socket } from 'node:net';
import { serverFixed } from '../../limits.ts';
import { RequestParser } from './connection/request-parser.ts';
import { PlacedArguments } from './protocol/placed-arguments.ts';

const PREPARING = ['HELLO', 'AUTH', 'SELECT', 'CLIENT'];
const LOADING = '-LOADING Redis is loading the dataset in memory\r\n';
const INFO = '# Persistence\r\nloading:1\r\nasync_loading:0\r\nloading_eta_seconds:1\r\n';

export class EarlyClient {
  readonly #socket: Socket;
  readonly #onClose: () => void;
  readonly #args = new PlacedArguments();
  readonly #parser = new RequestParser({
    wordBytesMax: serverFixed.redisStrangerWordBytesMax,
    charge: () => true,
  });

  constructor(socket: Socket, onClose: () => void) {
    this.#socket = socket;
    this.#onClose = onClose;
    this.#parser.isStranger = true;
    socket.on('data', this.#read);
    socket.on('end', this.#end);
    socket.on('close', onClose);
  }

  /** The store is open. @returns what has come in and is not answered; the socket is paused. */
  leave(): Buffer {
    this.#socket.pause();
    this.#socket.off('data', this.#read);
    this.#socket.off('end', this.#end);
    this.#socket.off('close', this.#onClose);
    return this.#parser.waiting();
  }

  readonly #read = (chunk: Buffer): void => {
    try {
      if (!this.#parser.add(chunk)) throw new Error('too much has come in');
      this.#answer();
      if (!this.#parser.keep() || this.#socket.writableLength > serverFixed.redisStrangerWordBytesMax)
        throw new Error('it does not read');
    } catch {
      this.#socket.destroy();
    }
  };

  #answer(): void {
    for (let args = this.#next(); args !== undefined; args = this.#next()) {
      if (PREPARING.some((name) => args?.is(0, name))) {
        this.#parser.rewind();
        this.#socket.pause();
        return;
      }
      this.#socket.write(args.is(0, 'INFO') ? `$${INFO.length}\r\n${INFO}\r\n` : LOADING);
    }
  }

  #next(): PlacedArguments | undefined {
    return this.#parser.next(this.#args);
  }

  readonly #end = (): void => void this.#socket.end();
}
