/**
 * A relay of connections before a server, each direction by itself: it passes bytes on, holds them back as a network does that loses
 * them, or lets them take their time. What was held back comes later, as what TCP sends again. An end that comes while its direction
 * is lost is not told to the other side, which has a half-open connection then.
 */
import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from '../../../support/free-port.ts';

/** How long what passes now takes, in milliseconds. */
export type DelayMs = () => number;

export type Direction = 'there' | 'back';

interface Flow {
  isLost: boolean;
  delayMs: DelayMs | undefined;
}

export class Front {
  readonly #flows: Readonly<Record<Direction, Flow>> = {
    there: { isLost: false, delayMs: undefined },
    back: { isLost: false, delayMs: undefined },
  };
  readonly #pumps = new Set<Pump>();
  readonly #server: Server;
  readonly #port: number;

  private constructor(port: number, targetPort: number) {
    this.#port = port;
    this.#server = createServer((socket) => {
      const onward = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
      socket.setNoDelay();
      this.#pump(socket, onward, 'there');
      this.#pump(onward, socket, 'back');
    });
  }

  /** One before a port of 127.0.0.1, which goes with the test. */
  static async before(targetPort: number): Promise<Front> {
    const front = new Front(await freePort(), targetPort);
    front.#server.listen(front.#port, '127.0.0.1');
    await once(front.#server, 'listening');
    onTestFinished(() => front.#close());
    return front;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  lose(direction: Direction): void {
    this.#flows[direction].isLost = true;
    for (const pump of this.#pumps) pump.look();
  }

  slowDown(delayMs: DelayMs): void {
    for (const flow of Object.values(this.#flows)) flow.delayMs = delayMs;
  }

  heal(): void {
    for (const flow of Object.values(this.#flows)) {
      flow.isLost = false;
      flow.delayMs = undefined;
    }
    for (const pump of this.#pumps) pump.look();
  }

  #pump(from: Socket, to: Socket, direction: Direction): void {
    const pump = new Pump(from, to, this.#flows[direction], () => this.#pumps.delete(pump));
    this.#pumps.add(pump);
  }

  #close(): void {
    this.#server.close();
    for (const pump of this.#pumps) pump.destroy();
  }
}

/** One direction of one connection. */
class Pump {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #flow: Flow;
  readonly #onOver: () => void;
  /** What is on its way, in order. */
  readonly #underWay: (() => void)[] = [];
  #isFull = false;
  /** The end that is not told yet. */
  #end: (() => void) | undefined;

  constructor(from: Socket, to: Socket, flow: Flow, onOver: () => void) {
    this.#from = from;
    this.#to = to;
    this.#flow = flow;
    this.#onOver = onOver;
    from.on('data', (bytes: Buffer) => this.#pass(() => this.#write(bytes)));
    from.on('error', () => undefined);
    from.on('end', () => this.#pass(() => to.end()));
    from.on('close', () => {
      this.#end = () => {
        to.destroy();
        onOver();
      };
      this.look();
    });
    to.on('drain', () => {
      this.#isFull = false;
      this.look();
    });
    this.look();
  }

  /** At what is true of its direction now. */
  look(): void {
    if (this.#flow.isLost || this.#isFull) this.#from.pause();
    else this.#from.resume();
    if (this.#flow.isLost || this.#underWay.length > 0) return;
    this.#end?.();
    this.#end = undefined;
  }

  destroy(): void {
    this.#from.destroy();
    this.#to.destroy();
    this.#onOver();
  }

  #pass(action: () => void): void {
    const { delayMs } = this.#flow;
    if (delayMs === undefined && this.#underWay.length === 0) return action();
    this.#underWay.push(action);
    // Nothing overtakes what was sent before it.
    if (this.#underWay.length === 1) this.#wait();
  }

  #wait(): void {
    setTimeout(() => {
      this.#underWay.shift()?.();
      if (this.#underWay.length > 0) this.#wait();
      else this.look();
    }, this.#flow.delayMs?.() ?? 0);
  }

  #write(bytes: Buffer): void {
    if (this.#to.destroyed || this.#to.write(bytes)) return;
    this.#isFull = true;
    this.look();
  }
}
