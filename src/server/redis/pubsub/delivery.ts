/**
 * Messages on their way to those that listen.
 *
 * 1. A message is sent once everything that was decided before it is durable: a client that reads what the message speaks of finds
 *    it. Without anything that waits for the disk it is sent at once.
 * 2. Messages go out in the order in which they were published; keyspace events are messages among them.
 * 3. In one turn of the event loop so many are sent; those behind them in the next one.
 * 4. A client that does not read is broken off once `redisPubsubUnsentBytesMax` wait for it.
 * 5. A client whose login is over gets nothing any more: it is broken off. An event of a key goes to those clients alone whose user may read all keys as it goes out.
 * 6. So many bytes of messages may wait for the disk. What is published beyond them is refused; an event, which can't be, breaks off
 *    those that would have got it, so that they know.
 */
import { serverFixed } from '../../../limits.ts';
import { Fifo } from '../../../store/fifo.ts';
import type { Seam, Stop } from '../../../store/seam.ts';
import { messagesWaiting } from '../replies/errors.ts';
import type { Channels } from './channels.ts';
import { Message } from './message.ts';
import type { ChannelName, Subscriber } from './subscriber.ts';

type DeliverySeam = Pick<Seam, 'committedSequence' | 'durableSequence' | 'failure' | 'onDurable'>;

export interface DeliveryOptions {
  readonly seam: DeliverySeam;
  readonly channels: Channels;
  readonly yieldNow: (run: () => void) => void;
}

/** Patterns are looked up when it is published. */
interface WaitingMessage {
  readonly sequence: number;
  readonly order: number;
  readonly kind: 'channel' | 'shard';
  readonly channel: Uint8Array;
  readonly name: ChannelName;
  readonly patterns: readonly ChannelName[];
  readonly payload: Uint8Array;
  /** Of a key: it is for those alone whose user may read all keys. */
  readonly isEvent: boolean;
}

export class Delivery {
  readonly #seam: DeliverySeam;
  readonly #channels: Channels;
  readonly #yieldNow: DeliveryOptions['yieldNow'];
  readonly #waiting = new Fifo<WaitingMessage>();
  /** Published out of a transaction that may still run. */
  #held: WaitingMessage[] = [];
  #waitingBytes = 0;
  #isYielding = false;
  #settle: () => void = () => undefined;
  #stop: Stop | undefined;

  constructor({ seam, channels, yieldNow }: DeliveryOptions) {
    this.#seam = seam;
    this.#channels = channels;
    this.#yieldNow = yieldNow;
  }

  /** @param settle is called before what came out of a transaction is published: it publishes the events of that. */
  onTransaction(settle: () => void): void {
    this.#settle = settle;
  }

  /**
   * Publishes a message; channel and payload are copied when they are kept. Throws a `ReplyError` when too much waits.
   * @returns how many get it: a client that matches in several ways counts as often.
   */
  publish(kind: 'channel' | 'shard', channel: Uint8Array, payload: Uint8Array): number {
    this.#publishHeld();
    const message = this.#receivable(kind, channel, payload, this.#seam.committedSequence, false);
    if (message === undefined) return 0;
    if (this.#isNow) return this.#send(message);
    if (this.#isFull) throw messagesWaiting();
    this.#keep(message);
    return this.#receiverCount(message);
  }

  /** Publishes a message out of a transaction that runs: behind it, so that it waits for what that has changed. */
  publishBehind(kind: 'channel' | 'shard', channel: Uint8Array, payload: Uint8Array): number {
    const message = this.#receivable(kind, channel, payload, 0, false);
    if (message === undefined) return 0;
    if (this.#isFull) throw messagesWaiting();
    if (this.#held.length === 0) queueMicrotask(() => this.#publishHeld());
    this.#held.push(copyOf(message));
    this.#waitingBytes += bytesOf(message);
    return this.#receiverCount(message);
  }

  /** A transaction is about to run: what was published out of those before it goes out. */
  transactionBegins(): void {
    this.#publishHeld();
  }

  /** The transaction has failed as a whole, or is tried again: what it has published never was. */
  transactionFailed(): void {
    this.forgetHeld(0);
  }

  /** Messages out of transactions that may still run. */
  get heldCount(): number {
    return this.#held.length;
  }

  /** A part of the transaction has failed: what it has published never was. @param count of the messages before it. */
  forgetHeld(count: number): void {
    for (const message of this.#held.splice(count)) this.#waitingBytes -= bytesOf(message);
  }

  /** Publishes a keyspace event of a decision, which goes out with `sendDurable`. @param channel stays as it is, as does the payload. */
  publishEvent(sequence: number, channel: Uint8Array, payload: Uint8Array): void {
    const message = this.#receivable('channel', channel, payload, sequence, true);
    if (message === undefined) return;
    if (this.#isFull) this.#eachReceiver(message, (subscriber) => subscriber.kill('now'));
    else this.#keep(message);
  }

  /** Sends what waits for nothing: events of a decision that has changed nothing, behind what is durable. */
  sendDurable(): void {
    this.#drain(this.#seam.durableSequence);
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    while (this.#waiting.shift() !== undefined);
    this.#waitingBytes = 0;
  }

  get #isFull(): boolean {
    return this.#waitingBytes >= serverFixed.redisPubsubWaitingBytesMax;
  }

  /** Once the log has failed nothing becomes durable any more, and nothing that is decided is shown. */
  get #isNow(): boolean {
    return this.#waiting.length === 0 && !this.#isBehind;
  }

  get #isBehind(): boolean {
    const { committedSequence, durableSequence, failure } = this.#seam;
    return committedSequence > durableSequence && failure === undefined;
  }

  #receivable(
    kind: 'channel' | 'shard',
    channel: Uint8Array,
    payload: Uint8Array,
    sequence: number,
    isEvent: boolean,
  ): WaitingMessage | undefined {
    if (this.#channels.isEmpty) return undefined;
    const name = Buffer.from(channel.buffer, channel.byteOffset, channel.length).toString('latin1');
    const patterns = kind === 'channel' ? this.#channels.patternsOf(channel) : [];
    if (patterns.length === 0 && this.#channels.listeners(kind, name) === undefined) return undefined;
    return { sequence, order: this.#channels.takeOrder(), kind, channel, name, patterns, payload, isEvent };
  }

  #keep(message: WaitingMessage): void {
    this.#push(copyOf(message));
    this.#waitingBytes += bytesOf(message);
  }

  #push(message: WaitingMessage): void {
    this.#stop ??= this.#seam.onDurable((sequence, failure) =>
      this.#durable(sequence, failure !== undefined),
    );
    this.#waiting.push(message);
  }

  /** The transaction is over. */
  #publishHeld(): void {
    if (this.#held.length === 0) return;
    this.#settle();
    const held = this.#held;
    this.#held = [];
    for (const message of held) this.#push({ ...message, sequence: this.#seam.committedSequence });
    if (!this.#isBehind) this.#drain(this.#seam.committedSequence);
  }

  #durable(sequence: number, hasFailed: boolean): void {
    // What was decided and never will be durable is shown to no one.
    if (hasFailed) return this.stop();
    this.#drain(sequence);
  }

  #drain(sequence: number): void {
    if (this.#isYielding) return;
    let left = serverFixed.redisPubsubSentPerTurnMax;
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      if (next.sequence > sequence) return;
      if (left <= 0) return this.#drainLater();
      this.#waiting.shift();
      this.#waitingBytes -= bytesOf(next);
      left -= 1 + this.#send(next);
    }
    this.#stop?.();
    this.#stop = undefined;
  }

  #drainLater(): void {
    this.#isYielding = true;
    this.#yieldNow(() => {
      this.#isYielding = false;
      this.#drain(this.#seam.durableSequence);
    });
  }

  #receiverCount(message: WaitingMessage): number {
    let count = 0;
    this.#eachReceiver(message, () => void count++);
    return count;
  }

  #send(message: WaitingMessage): number {
    let count = 0;
    this.#eachReceiver(message, (subscriber, encoded) => {
      if (!subscriber.isLoggedIn) {
        subscriber.kill('now');
        return;
      }
      count++;
      const isSlow = subscriber.figures.outputBytes > serverFixed.redisPubsubUnsentBytesMax;
      if (isSlow) subscriber.kill('now');
      else subscriber.push(encoded.bytes(subscriber.protocolVersion));
    });
    return count;
  }

  /** First those of the channel itself, then those of each pattern. */
  #eachReceiver(
    { kind, channel, name, patterns, payload, order, isEvent }: WaitingMessage,
    visit: (subscriber: Subscriber, encoded: Message) => void,
  ): void {
    const listeners = this.#channels.listeners(kind, name);
    if (listeners !== undefined) {
      const encoded = new Message([kind === 'shard' ? SMESSAGE : MESSAGE, channel, payload]);
      for (const [subscriber, since] of listeners)
        if (since < order && (!isEvent || subscriber.mayReadAllKeys)) visit(subscriber, encoded);
    }
    for (const pattern of patterns) {
      const matching = this.#channels.listeners('pattern', pattern);
      if (matching === undefined) continue;
      const encoded = new Message([PMESSAGE, Buffer.from(pattern, 'latin1'), channel, payload]);
      for (const [subscriber, since] of matching)
        if (since < order && (!isEvent || subscriber.mayReadAllKeys)) visit(subscriber, encoded);
    }
  }
}

function copyOf(message: WaitingMessage): WaitingMessage {
  const { channel, payload } = message;
  return { ...message, channel: Uint8Array.from(channel), payload: Uint8Array.from(payload) };
}

const MESSAGE = Buffer.from('message');
const PMESSAGE = Buffer.from('pmessage');
const SMESSAGE = Buffer.from('smessage');

/** What an object for a message takes, roughly. */
const WAITING_MESSAGE_BYTES = 200;

function bytesOf({ channel, payload }: WaitingMessage): number {
  return WAITING_MESSAGE_BYTES + channel.length + payload.length;
}
