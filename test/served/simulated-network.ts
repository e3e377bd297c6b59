/**
 * The network between clients and servers in one process, under `node:net`: what listens and connects there gets a
 * `SimulatedSocket`, as long as a network is in place and the address is its own. It may, as the seed decides,
 *
 * - deliver bytes late, and cut them into parts (`SimulatedSocket`);
 * - break a connection: both ends get ECONNRESET, each at its instant, and what was on the way is lost (`breakOne`);
 * - fall silent: nothing arrives any more, and nobody is told (`silenceOne`);
 * - break a connection at a byte (`breakAt`);
 * - and, where a process is killed, deliver what that had sent, and the end, or break its connections (`endProcess`).
 */
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import net, { type Server, type Socket } from 'node:net';
import type { SeededRandom } from '../support/random.ts';
import type { Schedule } from '../support/schedule.ts';
import { SimulatedSocket, type Travel, Wire } from './simulated-socket.ts';

/** Everything arrives as it was sent. */
const SMOOTH: Travel = { cutting: 0, partBytesMax: 1, capacity: Infinity };
const TRAVELS: readonly Travel[] = [
  SMOOTH,
  { cutting: 0.2, partBytesMax: 30, capacity: Infinity },
  { cutting: 0.2, partBytesMax: 30, capacity: 100 },
  { cutting: 0.7, partBytesMax: 200, capacity: 1000 },
];

/** Where a connection breaks: behind so many bytes of one direction. */
export interface BreakPoint {
  /** 0 is the first that is made. */
  readonly connection: number;
  readonly direction: Direction;
  readonly bytes: number;
}

export const directions = ['toServer', 'toClient'] as const;

export type Direction = (typeof directions)[number];

export class SimulatedNetwork {
  readonly #random: SeededRandom;
  readonly #schedule: Schedule;
  readonly #listenerByPath = new Map<string, SimulatedListener>();
  readonly #connections = new Set<Connection>();
  /** All that were made, by what has arrived over them. */
  readonly made: Readonly<Record<Direction, Wire>>[] = [];
  breakAt: BreakPoint | undefined;
  /** Connections cut nothing into parts. */
  isSmooth = false;

  constructor(random: SeededRandom, schedule: Schedule) {
    this.#random = random;
    this.#schedule = schedule;
  }

  listen(path: string, listener: SimulatedListener): boolean {
    if (this.#listenerByPath.has(path)) return false;
    this.#listenerByPath.set(path, listener);
    return true;
  }

  unlisten(path: string): void {
    this.#listenerByPath.delete(path);
  }

  connect(path: string): SimulatedSocket {
    const client = new SimulatedSocket();
    this.#schedule(() => this.#connect(path, client));
    return client;
  }

  /** Breaks one of the connections, if there is any. */
  breakOne(): void {
    this.#pick()?.break();
  }

  /** Lets one of the connections fall silent, if there is any. */
  silenceOne(): void {
    this.#pick()?.silence();
  }

  /** The process that listens is gone, and its ends of all connections with it. */
  endProcess(): void {
    this.#listenerByPath.clear();
    for (const connection of this.#connections) connection.endServer();
  }

  #pick(): Connection | undefined {
    return this.#connections.size === 0 ? undefined : this.#random.pick([...this.#connections]);
  }

  #connect(path: string, client: SimulatedSocket): void {
    if (client.destroyed) return;
    const listener = this.#listenerByPath.get(path);
    if (listener === undefined) {
      client.destroy(systemError('connect', 'ECONNREFUSED'));
      return;
    }
    const server = new SimulatedSocket();
    const travel = (): Travel => (this.isSmooth ? SMOOTH : this.#random.pick(TRAVELS));
    const connection = new Connection(client, server, this.#random, this.#schedule, travel);
    if (this.breakAt?.connection === this.made.length) {
      const wire = connection.wires[this.breakAt.direction];
      wire.breakAfterBytes = this.breakAt.bytes;
      wire.onBreak = () => connection.break();
    }
    this.made.push(connection.wires);
    this.#connections.add(connection);
    connection.onClosed = () => this.#connections.delete(connection);
    listener.emit('connection', server.asSocket);
    client.emit('connect');
  }
}

class Connection {
  onClosed: () => void = () => undefined;
  readonly #client: SimulatedSocket;
  readonly #server: SimulatedSocket;
  readonly #random: SeededRandom;
  readonly #schedule: Schedule;
  readonly wires: Readonly<Record<Direction, Wire>>;
  #isServerGone = false;

  constructor(
    client: SimulatedSocket,
    server: SimulatedSocket,
    random: SeededRandom,
    schedule: Schedule,
    travel: () => Travel,
  ) {
    this.#client = client;
    this.#server = server;
    this.#random = random;
    this.#schedule = schedule;
    const toServer = new Wire(server, travel(), random, schedule);
    const toClient = new Wire(client, travel(), random, schedule);
    client.out = toServer;
    server.out = toClient;
    this.wires = { toServer, toClient };
    client.onDestroy = (hasUnread) => this.#ended(client, server, hasUnread);
    server.onDestroy = (hasUnread) => this.#ended(server, client, hasUnread);
  }

  break(): void {
    this.silence();
    for (const socket of [this.#client, this.#server]) this.#reset(socket);
  }

  silence(): void {
    for (const direction of directions) this.wires[direction].goDown();
  }

  endServer(): void {
    this.#isServerGone = true;
    const { out } = this.#server;
    this.#client.out?.goDown();
    if (this.#random.chance(0.5)) {
      out?.end();
    } else {
      out?.goDown();
      this.#reset(this.#client);
    }
    this.#server.destroy();
  }

  #reset(socket: SimulatedSocket): void {
    this.#schedule(() => socket.destroy(systemError('read', 'ECONNRESET')));
  }

  /** One end is closed: the other hears of it, behind what was sent, or at once when the end has not read all. */
  #ended(socket: SimulatedSocket, other: SimulatedSocket, hasUnread: boolean): void {
    if (this.#client.destroyed && this.#server.destroyed) this.onClosed();
    if (other.destroyed || (this.#isServerGone && socket === this.#server)) return;
    if (hasUnread) this.#reset(other);
    else socket.out?.end();
  }
}

/** What stands for a server of `node:net`. */
class SimulatedListener extends EventEmitter {
  maxConnections = Infinity;
  readonly #network: SimulatedNetwork;
  readonly #schedule: Schedule;
  #path = '';

  constructor(network: SimulatedNetwork, schedule: Schedule, onConnection: (socket: Socket) => void) {
    super();
    this.#network = network;
    this.#schedule = schedule;
    this.on('connection', onConnection);
  }

  listen({ path = '' }: { readonly path?: string }, done: () => void): this {
    this.once('listening', done);
    this.#schedule(() => {
      this.#path = path;
      if (this.#network.listen(path, this)) this.emit('listening');
      else this.emit('error', systemError('listen', 'EADDRINUSE'));
    });
    return this;
  }

  address(): string {
    return this.#path;
  }

  close(): this {
    this.#network.unlisten(this.#path);
    return this;
  }
}

let inPlace: { readonly network: SimulatedNetwork; readonly schedule: Schedule } | undefined;

/** Puts a network under `node:net`, for this whole thread. @returns what undoes it. */
export function simulateNetwork(network: SimulatedNetwork, schedule: Schedule): () => void {
  replaceNet();
  inPlace = { network, schedule };
  return () => void (inPlace = undefined);
}

let isReplaced = false;

/** Gives functions of `node:net` to all that have imported them, by name or not. */
function replaceNet(): void {
  if (isReplaced) return;
  isReplaced = true;
  const { connect, createServer } = net;
  const functions = {
    connect: (options: net.NetConnectOpts, ...rest: [(() => void)?]) =>
      inPlace !== undefined && 'path' in options
        ? inPlace.network.connect(options.path).asSocket
        : connect(options, ...rest),
    createServer: (options: net.ServerOpts, onConnection: (socket: Socket) => void) =>
      inPlace === undefined
        ? createServer(options, onConnection)
        : (new SimulatedListener(inPlace.network, inPlace.schedule, onConnection) as unknown as Server),
  };
  for (const [name, value] of Object.entries(functions)) {
    Object.defineProperty(net, name, { value, configurable: true, enumerable: true });
  }
  syncBuiltinESMExports();
}

function systemError(call: string, code: string): Error {
  return Object.assign(new Error(`${call} ${code}`), { code, syscall: call });
}
