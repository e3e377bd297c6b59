/**
 * Requests of HTTP/1.1 that ask for another protocol (`Upgrade: h2c`, by clients that try HTTP/2 so) are answered as if they did
 * not (RFC 9110, section 7.8). Left to itself Node does so too, but loses what came behind such a request in the same packet:
 * so its bytes are given to Node again, without those fields. Responses before it go out first.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What asks for the other protocol, in the names of fields and in the options of `Connection`. */
const leftOut: ReadonlySet<string> = new Set(['upgrade', 'http2-settings']);

export class UnheededUpgrades {
  readonly #serve: (socket: Socket) => void;
  readonly #lastResponseBySocket = new WeakMap<object, ServerResponse>();

  /** @param serve takes a connection with what was `unshift`ed to its socket. */
  constructor(serve: (socket: Socket) => void) {
    this.#serve = serve;
  }

  /** A request is about to be answered. */
  note({ socket }: IncomingMessage, response: ServerResponse): void {
    // One behind others has no socket yet.
    this.#lastResponseBySocket.set(socket, response);
  }

  /** Of the last request of a connection; `undefined`: it had none. */
  lastResponse(socket: object): ServerResponse | undefined {
    return this.#lastResponseBySocket.get(socket);
  }

  /** @param rest what came behind the head of the request. Node has let go of the socket. */
  leave(request: IncomingMessage, rest: Buffer): void {
    const { socket } = request;
    // Node has taken its own listener away; what becomes of the connection is found out when it is served.
    const ignored = (): void => undefined;
    socket.on('error', ignored);
    const again = (): void => {
      if (socket.destroyed || socket.writableEnded) return;
      socket.off('error', ignored);
      // Node sets one for the time between two requests.
      socket.setTimeout(0);
      socket.unshift(Buffer.concat([headWithout(request), rest]));
      this.#serve(socket);
    };
    const last = this.#lastResponseBySocket.get(socket);
    if (last === undefined || last.closed) again();
    else last.once('close', again);
  }
}

function headWithout({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const lowerName = name.toLowerCase();
    if (lowerName === 'connection') lines.push(`${name}: ${optionsWithout(value)}`);
    else if (!leftOut.has(lowerName)) lines.push(`${name}: ${value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function optionsWithout(value: string): string {
  const options = value.split(',').map((option) => option.trim());
  return options.filter((option) => !leftOut.has(option.toLowerCase())).join(', ');
}
