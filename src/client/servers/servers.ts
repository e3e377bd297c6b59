/**
 * The servers that a client may go to, and what is remembered of how they failed.
 *
 * - All calls go to one of them, the current one, for as long as it serves: they share its connections, and travel together. At first it
 *   is any of them, by chance, so that many clients spread over all.
 * - When that one can't be reached, recovers or stops, it rests: it is not asked again for a while, which doubles with each failure in a
 *   row. The next one in turn that does not rest is the current one from then on, also when the first one is back.
 * - A server that is well and can't serve one call, as a follower that does not know its writer, does not rest. The call goes elsewhere, and
 *   where it is served is the current one.
 * - While all of them rest a call is told at once how the last one failed, and nothing is sent: however many calls are made, a server that
 *   is down is asked once for each of its rests.
 */
import { client as limits } from '../../limits.ts';
import type { CallTransport } from '../calls/call-transport.ts';
import type { Pace } from '../calls/pace.ts';
import type { CallFailure } from '../errors/call-failure.ts';

export class Server {
  readonly transport: CallTransport;
  /** What rests it. `undefined`: it served when it was asked last, or was not asked yet. */
  failure: CallFailure | undefined;
  /** How often it failed: what began before its last failure, and fails too, tells nothing new. */
  generation = 0;
  readonly #pace: Pace;
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  #failuresInRow = 0;

  constructor(transport: CallTransport, pace: Pace) {
    this.transport = transport;
    this.#pace = pace;
  }

  get address(): string {
    return this.transport.address;
  }

  /** How long it is not to be asked; 0: it may be. */
  get restMs(): number {
    return this.failure === undefined ? 0 : Math.max(0, this.#restsUntilMs - this.#pace.monotonicMs());
  }

  rest(failure: CallFailure): void {
    const { serverRestMs, serverRestMsMax } = limits;
    const restMs = Math.min(serverRestMsMax, serverRestMs * 2 ** this.#failuresInRow);
    this.failure = failure;
    this.generation++;
    this.#failuresInRow++;
    // Clients that lost the same server come back spread over time.
    this.#restsUntilMs = this.#pace.monotonicMs() + restMs * (1 - this.#pace.random() / 2);
  }

  served(): void {
    this.failure = undefined;
    this.#failuresInRow = 0;
  }
}

export class Servers {
  readonly all: readonly Server[];
  #currentIndex: number;

  /** @param transports one for each server, at least two. */
  constructor(transports: readonly CallTransport[], pace: Pace) {
    this.all = transports.map((transport) => new Server(transport, pace));
    this.#currentIndex = Math.floor(pace.random() * transports.length);
  }

  /** The first in turn, from the current one on, that does not rest and is not among those. `undefined`: there is none. */
  next(without: ReadonlySet<Server>): Server | undefined {
    const { all } = this;
    for (let step = 0; step < all.length; step++) {
      const server = all[(this.#currentIndex + step) % all.length];
      if (server !== undefined && !without.has(server) && server.restMs === 0) return server;
    }
    return undefined;
  }

  /** How long until one of them may be asked. */
  get restMs(): number {
    return Math.min(...this.all.map(({ restMs }) => restMs));
  }

  /** How the one failed that may be asked first. Only while all rest. */
  get failure(): CallFailure | undefined {
    const { restMs } = this;
    return this.all.find((server) => server.restMs <= restMs)?.failure;
  }

  /** @param generation of the server when the try began that has failed. */
  failed(server: Server, generation: number, failure: CallFailure): void {
    if (generation !== server.generation) return;
    server.rest(failure);
    if (this.all[this.#currentIndex] !== server) return;
    const next = this.next(new Set([server]));
    if (next !== undefined) this.#moveTo(next);
  }

  /** @param isPreferred whether others would not serve what this one did. */
  served(server: Server, isPreferred: boolean): void {
    server.served();
    if (isPreferred) this.#moveTo(server);
  }

  #moveTo(server: Server): void {
    this.#currentIndex = this.all.indexOf(server);
  }
}
