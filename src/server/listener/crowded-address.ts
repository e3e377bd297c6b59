/**
 * Turns connections away of an address that has too many. Their client is told why, as far as it has shown how: an answer of
 * HTTP/1.1, or a GOAWAY of HTTP/2, which promises that nothing was done. With TLS it would have to be handed all of a handshake
 * first, so the connection is only closed, and so are those for which too many others are being told.
 */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { systemClock } from '../../clock.ts';
import { ServerConnection } from '../../http2/connection/server-connection.ts';
import { errorCode } from '../../http2/contract/error-code.ts';
import { type ServerLimits, limitName, serverFixed } from '../../limits.ts';
import { RareLine } from '../logging/rare-line.ts';
import { type Http2Limits, connectionOptions } from './http2-port.ts';
import { type Protocol, sniffProtocol } from './protocol-sniffer.ts';
import { refuse } from './wrong-protocol.ts';

type CrowdLimits = Http2Limits & Pick<ServerLimits, 'connectionsPerAddressMax'>;

export class CrowdedAddress {
  readonly #limits: CrowdLimits;
  readonly #line: RareLine;
  readonly #text: string;
  #toldCount = 0;

  constructor(limits: CrowdLimits, logger: Logger) {
    this.#limits = limits;
    this.#line = new RareLine(logger, serverFixed.refusedClientLogMs);
    this.#text = `your address has ${limits.connectionsPerAddressMax} connections open, and may have no more (${limitName('connectionsPerAddressMax')})`;
  }

  turnAway(socket: Socket): void {
    const { remoteAddress } = socket;
    const { connectionsPerAddressMax } = this.#limits;
    this.#line.tell(
      { remoteAddress, connectionsPerAddressMax },
      'an address has too many connections, one more was closed',
    );
    if (this.#toldCount >= serverFixed.toldConnectionsMax) {
      socket.destroy();
      return;
    }
    this.#toldCount++;
    socket.once('close', () => this.#toldCount--);
    void sniffProtocol(socket, serverFixed.refusalLingerMs).then((protocol) => this.#tell(socket, protocol));
  }

  #tell(socket: Socket, protocol: Protocol | undefined): void {
    if (protocol === 'http1') {
      refuse(socket, '429 Too Many Requests', this.#text, 'retry-after: 1');
    } else if (protocol === 'http2') {
      const timer = systemClock.setTimer(serverFixed.refusalLingerMs, () => connection.destroy());
      const options = { ...connectionOptions(this.#limits, systemClock), onClosed: () => timer.cancel() };
      // What it has sent by then is not read before the GOAWAY.
      const connection = new ServerConnection(socket, options, () => {
        throw new Error('broken invariant: it takes no stream');
      });
      connection.goaway(errorCode.ENHANCE_YOUR_CALM, this.#text);
    } else {
      socket.destroy();
    }
  }
}
