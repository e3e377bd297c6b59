/** A bare connection to a server, for what no well-behaved client does. */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { onTestFinished } from 'vitest';

export class RawConnection {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #received = '';
  #wake = (): void => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.on('end', () => void socket.destroy());
    // A server may reset a connection that it is done with.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    void this.closed.then(() => this.#wake());
  }

  static async open({
    host,
    port,
  }: {
    readonly host: string;
    readonly port: number;
  }): Promise<RawConnection> {
    return RawConnection.#connected(connect({ host, port, allowHalfOpen: true }));
  }

  /** To a socket that a file stands for. */
  static openFile(path: string): Promise<RawConnection> {
    return RawConnection.#connected(connect({ path, allowHalfOpen: true }));
  }

  static async #connected(socket: Socket): Promise<RawConnection> {
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** What has come so far, a byte as a character. */
  get received(): string {
    return this.#received;
  }

  /** Waits until what has come has or matches this; fails when the connection closes before. */
  async until(wanted: RegExp | string): Promise<string> {
    for (;;) {
      const isThere =
        typeof wanted === 'string' ? this.#received.includes(wanted) : wanted.test(this.#received);
      if (isThere) return this.#received;
      if (this.socket.destroyed) throw new Error(`closed before ${wanted}; received: ${this.#received}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
