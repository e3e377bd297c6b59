/**
 * The address of a server as a client meets it: it passes all bytes on, until a test ends it, cuts its connections or silences it, as when
 * a machine goes without a word. It counts the connections that are made.
 */
import { once } from 'node:events';
import { createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { onTestFinished } from 'vitest';
import { freePort } from '../../support/free-port.ts';

export class ClusterFront {
  /** Also those that were refused by silence. */
  connectCount = 0;
  readonly #port: number;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #server: Server;
  #isSilent = false;

  private constructor(port: number, targetPort: number) {
    this.#port = port;
    this.#targetPort = targetPort;
    this.#server = this.#newServer();
  }

  static async before(targetPort: number): Promise<ClusterFront> {
    const front = new ClusterFront(await freePort(), targetPort);
    await front.rise();
    onTestFinished(() => front.die());
    return front;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** It is there again, at its port. */
  async rise(): Promise<void> {
    this.#isSilent = false;
    this.#server = this.#newServer();
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Its connections are reset, and others refused. */
  async die(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Its connections are reset. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** Nothing comes over its connections any more, nor over new ones. */
  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  #newServer(): Server {
    return createServer((socket) => {
      this.connectCount++;
      this.#keep(socket);
      if (this.#isSilent) return void socket.pause();
      const onward = this.#keep(connect(this.#targetPort, '127.0.0.1'));
      socket.pipe(onward).pipe(socket);
      socket.on('close', () => onward.destroy());
      onward.on('close', () => socket.destroy());
    });
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

/** A server whose answers a test scripts, behind its address. */
export async function startScriptedNode(routes: (router: ConnectRouter) => void): Promise<ClusterFront> {
  const server = createHttp2Server(connectNodeAdapter({ routes }));
  server.on('sessionError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return ClusterFront.before((server.address() as AddressInfo).port);
}
