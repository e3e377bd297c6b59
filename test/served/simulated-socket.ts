/**
 * The two sockets of a simulated connection. Bytes that go in at one end come out at the other in order, in parts and at
 * instants that the seed decides, and no more of them are on the way than the wire takes.
 */
import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { SeededRandom } from '../support/random.ts';
import type { Schedule } from '../support/schedule.ts';

type Done = (error?: Error | null) => void;

/** How bytes travel over a connection. */
export interface Travel {
  /** The chance that what is on the way arrives in part only, ... */
  readonly cutting: number;
  /** ... of so many bytes at most. */
  readonly partBytesMax: number;
  /** The bytes that are on the way before the writer has to wait. */
  readonly capacity: number;
}

export class SimulatedSocket extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  bytesRead = 0;
  bytesWritten = 0;
  /** Where what is written goes; none before it is connected. */
  out: Wire | undefined;
  /** Told of its end, and whether there was something that it had not read. */
  onDestroy: (hasUnread: boolean) => void = () => undefined;
  /** Told that it has room again for what comes. */
  onRoom: () => void = () => undefined;

  constructor() {
    // As a socket of Node: it answers the end of its peer by its own, unless it is told otherwise.
    super({ allowHalfOpen: false });
  }

  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  override _read(): void {
    this.onRoom();
  }

  override _write(bytes: Buffer, _encoding: string, done: Done): void {
    this.bytesWritten += bytes.length;
    if (this.out === undefined) done(new Error('written before it was connected'));
    else this.out.carry(bytes, done);
  }

  override _final(done: Done): void {
    this.out?.end();
    done();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.onDestroy(this.readableLength > 0);
    done(error);
  }

  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** One direction of a connection. */
export class Wire {
  readonly #to: SimulatedSocket;
  readonly #travel: Travel;
  readonly #random: SeededRandom;
  readonly #schedule: Schedule;
  #onTheWay: Buffer[] = [];
  #waiting: Done[] = [];
  #isEnded = false;
  #isEndDelivered = false;
  #isStepAsked = false;
  #isFull = false;
  #isDown = false;
  /** What has arrived so far. */
  arrivedBytes = 0;
  /** So much arrives, ... */
  breakAfterBytes = Infinity;
  /** ... and then this happens. */
  onBreak: () => void = () => undefined;

  constructor(to: SimulatedSocket, travel: Travel, random: SeededRandom, schedule: Schedule) {
    this.#to = to;
    this.#travel = travel;
    this.#random = random;
    this.#schedule = schedule;
    to.onRoom = () => {
      this.#isFull = false;
      this.#ask();
    };
  }

  /** What was given and has not arrived. */
  get bytesOnTheWay(): number {
    return this.#onTheWay.reduce((sum, { length }) => sum + length, 0);
  }

  /** Takes bytes; `done` once there is room for more. */
  carry(bytes: Buffer, done: Done): void {
    // The writer uses its memory again.
    this.#onTheWay.push(Buffer.from(bytes));
    if (this.bytesOnTheWay <= this.#travel.capacity) done();
    else this.#waiting.push(done);
    this.#ask();
  }

  /** Nothing comes behind what is on the way. */
  end(): void {
    this.#isEnded = true;
    this.#ask();
  }

  /** From now on nothing arrives. What is on the way is lost; nobody is told. */
  goDown(): void {
    this.#isDown = true;
  }

  #ask(): void {
    if (this.#isStepAsked || this.#isDown || this.#isEndDelivered) return;
    if (this.#onTheWay.length === 0 && !this.#isEnded) return;
    this.#isStepAsked = true;
    this.#schedule(() => {
      this.#isStepAsked = false;
      this.#step();
    });
  }

  #step(): void {
    if (this.#isDown || this.#to.destroyed || this.#isFull) return;
    if (this.arrivedBytes >= this.breakAfterBytes) return this.onBreak();
    const part = this.#takePart();
    if (part === undefined) {
      this.#isEndDelivered = true;
      this.#to.push(null);
      return;
    }
    this.arrivedBytes += part.length;
    this.#to.bytesRead += part.length;
    this.#isFull = !this.#to.push(part);
    if (this.#waiting.length > 0 && this.bytesOnTheWay <= this.#travel.capacity) {
      for (const done of this.#waiting.splice(0)) done();
    }
    if (this.arrivedBytes >= this.breakAfterBytes) this.onBreak();
    this.#ask();
  }

  #takePart(): Buffer | undefined {
    if (this.#onTheWay.length === 0) return undefined;
    const { cutting, partBytesMax } = this.#travel;
    const all = Buffer.concat(this.#onTheWay);
    const wanted = this.#random.chance(cutting) ? this.#random.between(1, partBytesMax) : all.length;
    const bytes = Math.min(wanted, this.breakAfterBytes - this.arrivedBytes);
    const rest = all.subarray(bytes);
    this.#onTheWay = rest.length === 0 ? [] : [rest];
    return all.subarray(0, bytes);
  }
}
