/** A server of `ServerConnection` on loopback, whose requests are dealt with as `behaviours.ts` says. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { ConnectionEnd } from '../../../src/http2/contract/endpoint.ts';
import {
  ServerConnection,
  type ServerConnectionOptions,
} from '../../../src/http2/connection/server-connection.ts';
import { behaviourOf } from './behaviours.ts';
import { Request, serverOptions } from './server-under-test.ts';

export class EchoServer {
  readonly requests: Request[] = [];
  readonly connections = new Set<ServerConnection>();
  readonly ends: ConnectionEnd[] = [];
  readonly port: number;
  #wake = (): void => undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(options: Partial<ServerConnectionOptions> = {}): Promise<EchoServer> {
    const listener = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const server = new EchoServer((listener.address() as AddressInfo).port);
    listener.on('connection', (socket) => {
      const connection = new ServerConnection(
        socket,
        {
          ...serverOptions,
          ...options,
          clock: systemClock,
          onClosed: (closed, end) => {
            server.connections.delete(closed);
            server.ends.push(end);
            server.#wake();
          },
        },
        (stream, head) => {
          const request = new Request(stream, head, behaviourOf(head));
          server.requests.push(request);
          return request;
        },
      );
      server.connections.add(connection);
    });
    onTestFinished(() => {
      listener.close();
      for (const connection of server.connections) connection.destroy();
    });
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Waits until so many connections have come and gone. */
  async ended(count: number): Promise<void> {
    while (this.ends.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
