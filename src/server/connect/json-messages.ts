/**
 * The messages of a call in JSON, which go around Connect: it would hold a reply as a tree, as a text and as bytes, and make or
 * read each value character by character. It is given an empty message in the place of each, `{}`, and does all else:
 * the forms of the protocols, deadlines, errors.
 *
 * Requests are read before it, replies are written behind it, both in pieces (`json/turn-work.ts`). Their order is that of the empty
 * ones, of which Connect drops none unless the call is over.
 */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import type { Call } from '../calls/call.ts';
import type { JsonText } from '../json/json-text.ts';
import { readJsonRequest } from '../json/read-request.ts';
import { type Turns, jsonTurns } from '../json/turn-work.ts';
import { PREFIX_BYTES, writePrefix } from '../services/envelope.ts';

type Message = MessageShape<DescMessage>;
type Body = AsyncIterator<Uint8Array>;

const HTTP_OK = 200;

/** What stands for a message. */
const EMPTY = Buffer.from('{}');

export class JsonMessages implements Turns {
  readonly #input: DescMessage;
  readonly #call: Call;
  /** Read and not taken. */
  readonly #requests: Message[] = [];
  /** Those whose empty ones have not come back from Connect: one, unless it asks for several at once. */
  readonly #replies: (() => JsonText)[] = [];

  constructor(input: DescMessage, call: Call) {
    this.#input = input;
    this.#call = call;
  }

  /**
   * Reads a request message.
   * @returns what Connect is to read instead.
   */
  async read(bytes: Uint8Array): Promise<Uint8Array> {
    this.#requests.push(await readJsonRequest(this.#input, bytes, this));
    return EMPTY;
  }

  /** The message that an empty one of Connect stands for. */
  request(empty: Message): Message {
    // No body is no message that was read.
    return this.#requests.shift() ?? empty;
  }

  /** @param make is called when the empty one has come back, which is handed to Connect next. */
  reply(make: () => JsonText): void {
    this.#replies.push(make);
  }

  /** Does a part of the call when this turn of the event loop has time for it, unless the call is over by then. */
  run<Result>(piece: () => Result): Promise<Awaited<Result>> {
    return jsonTurns.run(() => {
      if (this.#call.isClosed) throw this.#call.abortReason;
      return piece();
    });
  }

  /** Writes the reply with the messages in their places; `write` is told what of it is not handed out. */
  async write(
    reply: UniversalServerResponse,
    write: (reply: UniversalServerResponse, rest: { readonly heldBytes: number }) => Promise<void>,
  ): Promise<void> {
    const chunks = reply.body?.[Symbol.asyncIterator]();
    const body = new JsonBody(chunks, this.#replies, reply.header, this);
    if (reply.status === HTTP_OK) await body.begin();
    await write({ ...reply, body }, body);
  }
}

/** No generator: one that waits would keep what it has handed out. */
class JsonBody implements AsyncIterableIterator<Uint8Array> {
  readonly #chunks: Body | undefined;
  readonly #replies: (() => JsonText)[];
  readonly #header: Headers | undefined;
  readonly #turns: Turns;
  /** A unary reply of Connect's own protocol is the message alone, with its length in the headers. */
  readonly #isBare: boolean;
  #text: JsonText | undefined;
  #prefix: Buffer | undefined;

  constructor(
    chunks: Body | undefined,
    replies: (() => JsonText)[],
    header: Headers | undefined,
    turns: Turns,
  ) {
    this.#turns = turns;
    this.#chunks = chunks;
    this.#replies = replies;
    this.#header = header;
    this.#isBare = header?.get('content-type')?.startsWith('application/json') === true;
  }

  /** The memory of what is not handed out of the message that is. */
  get heldBytes(): number {
    return this.#text?.heldBytes ?? 0;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Makes the message of a reply that has its length in the headers. */
  async begin(): Promise<void> {
    const make = this.#isBare ? this.#replies.shift() : undefined;
    if (make === undefined) return;
    await this.#chunks?.next();
    this.#text = await this.#turns.run(make);
    this.#header?.set('content-length', String(this.#text.byteLength));
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const piece = await this.#nextPiece();
    if (piece !== undefined) return { done: false, value: piece };
    const chunk = await this.#chunks?.next();
    if (chunk === undefined || chunk.done === true) return DONE;
    const make = !this.#isBare && isMessage(chunk.value) ? this.#replies.shift() : undefined;
    if (make === undefined) return chunk;
    this.#text = await this.#turns.run(make);
    this.#prefix = Buffer.alloc(PREFIX_BYTES);
    writePrefix(this.#prefix, 0, this.#text.byteLength);
    return this.next();
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#text = undefined;
    await this.#chunks?.return?.();
    return DONE;
  }

  async #nextPiece(): Promise<Buffer | undefined> {
    const text = this.#text;
    if (text === undefined) return undefined;
    const piece = await this.#turns.run(() => text.take());
    if (piece === undefined) {
      this.#text = undefined;
      return undefined;
    }
    const prefix = this.#prefix;
    this.#prefix = undefined;
    return prefix === undefined ? piece : Buffer.concat([prefix, piece]);
  }
}

/** As against the end of a stream, and trailers in the body. */
function isMessage(envelope: Uint8Array): boolean {
  return envelope[0] === 0;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
