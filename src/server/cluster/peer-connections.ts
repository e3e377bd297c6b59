/**
 * The connections to other nodes, kept for the calls that come: the first is made when it is needed, another one when a node takes no
 * more streams on those there are, up to a limit. A call waits while a connection is being made, and is refused when that fails; for
 * how long it waits is its own to say.
 */
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../../clock.ts';
import type { Field } from '../../http2/contract/fields.ts';
import { forwarding as limits } from '../../limits.ts';
import type { Peer } from '../calls/call.ts';
import type { ForwardingOutcome } from '../metrics/cluster/node-meter.ts';
import { clientFields } from '../access/forwarded-client.ts';
import { PeerConnection, openPeerSocket } from './peer-connection.ts';
import { WriterWatch } from './writer-watch.ts';

/** A call that is to go over a connection. */
export interface PeerCall {
  /** @returns false: the connection had no room, and nothing was sent. */
  begin(connection: PeerConnection): boolean;
  /** There is no connection for it, and nothing was sent. @param mayPass there may be one soon. */
  refuse(reason: Error, mayPass: boolean): void;
}

export interface PeerOptions {
  readonly clock: Clock;
  /** What `tls.connect` takes beside host and port, asked for with each connection; `undefined`: nodes speak plain text. */
  readonly tls: (() => ConnectionOptions) | undefined;
  /** Shown to the others, to be believed what it says of clients; `undefined`: it has none. */
  readonly token?: string | undefined;
  /** The writer of the cluster; '': there is none now, or it is not known. */
  readonly writerAddress: () => string;
  /** For how long a call waits for a writer: see `writerWaitMsOf`. */
  readonly writerWaitMs: number;
  /** Told of each call to the writer. */
  readonly onEnded?: (outcome: ForwardingOutcome) => void;
}

export class PeerConnections {
  readonly #options: PeerOptions;
  readonly #poolByAddress = new Map<string, Pool>();
  /** For calls to the writer. */
  readonly watch: WriterWatch;

  constructor(options: PeerOptions) {
    this.#options = options;
    this.watch = new WriterWatch(options.clock, options.writerWaitMs);
  }

  get hasTls(): boolean {
    return this.#options.tls !== undefined;
  }

  /** '': there is none now, or it is not known. */
  get writerAddress(): string {
    return this.#options.writerAddress();
  }

  /** Whether the writer can be told whose certificate a client has. */
  get hasToken(): boolean {
    return this.#options.token !== undefined;
  }

  /** What the writer is told of a client. */
  clientFields(client: Peer | undefined): readonly Field[] {
    return clientFields(this.#options.token, client);
  }

  /** Begins a call at a node or refuses it, now or when it is known whether there is a connection for it. @param address HOST:PORT. */
  place(address: string, call: PeerCall): void {
    let pool = this.#poolByAddress.get(address);
    if (pool === undefined) {
      pool = new Pool(address, this.#options, () => this.#poolByAddress.delete(address));
      this.#poolByAddress.set(address, pool);
    }
    pool.place(call);
  }

  /** The call is not to be sent any more. */
  withdraw(address: string, call: PeerCall): void {
    this.#poolByAddress.get(address)?.withdraw(call);
  }

  /** A call to the writer is over. */
  ended(outcome: ForwardingOutcome): void {
    this.#options.onEnded?.(outcome);
  }

  /** Breaks off what is under way. */
  close(): void {
    this.watch.close();
    for (const pool of this.#poolByAddress.values()) pool.close();
  }
}

class Pool {
  readonly #address: string;
  readonly #options: PeerOptions;
  readonly #onEmpty: () => void;
  /** The oldest first, which is filled first: so the others fall idle, and close. */
  readonly #connections: PeerConnection[] = [];
  readonly #waiting = new Set<PeerCall>();
  #opening: PeerConnection | undefined;

  constructor(address: string, options: PeerOptions, onEmpty: () => void) {
    this.#address = address;
    this.#options = options;
    this.#onEmpty = onEmpty;
  }

  place(call: PeerCall): void {
    if (this.#waiting.size === 0 && this.#isBegun(call)) return;
    if (this.#waiting.size >= limits.waitingCallsMax) {
      return call.refuse(new Error(`${limits.waitingCallsMax} calls wait for a connection already`), false);
    }
    this.#waiting.add(call);
    this.#provide();
  }

  withdraw(call: PeerCall): void {
    this.#waiting.delete(call);
  }

  close(): void {
    for (const connection of this.#connections.slice()) connection.destroy();
    this.#opening?.destroy();
  }

  #isBegun(call: PeerCall): boolean {
    for (const connection of this.#connections) {
      if (connection.hasRoom && call.begin(connection)) return true;
    }
    return false;
  }

  #dispatch(): void {
    for (const call of this.#waiting) {
      if (!this.#isBegun(call)) return this.#provide();
      this.#waiting.delete(call);
    }
  }

  #provide(): void {
    if (this.#opening !== undefined || this.#connections.length >= limits.connectionsMax) return;
    try {
      const tls = this.#options.tls?.();
      const socket = openPeerSocket(peerAddress(this.#address), tls);
      this.#opening = new PeerConnection(socket, tls !== undefined, this.#options.clock, {
        ready: (connection) => this.#ready(connection),
        over: (connection, reason) => this.#over(connection, reason),
      });
    } catch (error) {
      this.#refuseAll(error as Error);
    }
  }

  #ready(connection: PeerConnection): void {
    if (this.#opening === connection) {
      this.#opening = undefined;
      this.#connections.push(connection);
    }
    this.#dispatch();
  }

  #over(connection: PeerConnection, reason: Error): void {
    if (this.#opening === connection) {
      this.#opening = undefined;
      this.#refuseAll(reason);
    }
    const index = this.#connections.indexOf(connection);
    if (index !== -1) this.#connections.splice(index, 1);
    if (this.#waiting.size > 0) this.#provide();
    else if (this.#connections.length === 0 && this.#opening === undefined) this.#onEmpty();
  }

  #refuseAll(reason: Error): void {
    const refused = [...this.#waiting];
    this.#waiting.clear();
    for (const call of refused) call.refuse(reason, true);
  }
}

/** @param text `HOST:PORT`, an address of IPv6 in brackets. */
function peerAddress(text: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(`kelp://${text}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}
