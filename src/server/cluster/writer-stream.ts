/**
 * Messages to a method of the writer and its replies, one for each in their order, over one stream of gRPC: for what a follower can't
 * pass on whole, since it looks at each message first. Who makes a request bounds how many are under way; what comes of a reply is
 * charged to the call until that is taken.
 */
import { type Field, type ResponseHead, fieldOf } from '../../http2/contract/fields.ts';
import type { StoreError } from '../../errors.ts';
import type { Call } from '../calls/call.ts';
import { answeredError } from './answered-status.ts';
import type { ClusterDoors } from './cluster-doors.ts';
import { FORWARDED_HEADER } from '../access/forwarded-client.ts';
import { Upstream, type UpstreamReceiver } from './upstream.ts';
import { addressOfWriter } from './writer-calls.ts';
import { lostCallError } from './writer-errors.ts';

/** A byte of flags, four of the length. */
const PREFIX_BYTES = 5;

export class WriterStream implements UpstreamReceiver {
  readonly #address: string;
  readonly #call: Call;
  readonly #upstream: Upstream;
  readonly #waiting: PromiseWithResolvers<Buffer>[] = [];
  /** Of the reply that comes. */
  #chunks: Buffer[] = [];
  #length = 0;
  #error: Error | undefined;
  #head: readonly Field[] = [];

  /**
   * Throws `unauthenticated` when the writer can't be shown whose call it is.
   * @param path as `/kelp.v1.KvService/Pipeline`.
   */
  constructor(doors: ClusterDoors, call: Call, path: string) {
    this.#call = call;
    this.#address = addressOfWriter(doors, call.shown, false);
    const authorization = call.shown?.authorization;
    const { peers } = doors;
    const fields: Field[] = [
      [':method', 'POST'],
      [':scheme', peers.hasTls ? 'https' : 'http'],
      [':path', path],
      [':authority', this.#address],
      ['content-type', 'application/grpc+proto'],
      ['te', 'trailers'],
      ...(authorization === undefined ? [] : [['authorization', authorization] as const]),
      [FORWARDED_HEADER, '1'],
      ...peers.clientFields(call.peer),
    ];
    this.#upstream = new Upstream({ peers, address: this.#address, fields, isRead: false }, this);
    this.#upstream.open();
  }

  /** Whether a reply is due. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves with the reply to a message. @param message stays as it is. */
  request(message: Buffer): Promise<Buffer> {
    const reply = Promise.withResolvers<Buffer>();
    // Who waits for one of several learns of the failure of all.
    reply.promise.catch(() => undefined);
    if (this.#error !== undefined) {
      reply.reject(this.#error);
      return reply.promise;
    }
    this.#waiting.push(reply);
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(message.length, 1);
    this.#upstream.send(prefix);
    this.#upstream.send(message);
    return reply.promise;
  }

  endRequests(): void {
    this.#upstream.endRequest();
  }

  /** What its call waits for no more is canceled. A server that stops still answers what is under way. */
  endWith(call: Call): void {
    call.stopOnAbort({
      stop: () => {
        if (call.isEndedByServer) this.endRequests();
        else this.cancel(call.abortReason as Error);
      },
    });
  }

  cancel(reason: Error): void {
    this.#upstream.cancel();
    this.#fail(reason);
  }

  replyHead({ fields, status }: ResponseHead): void {
    this.#head = fields;
    const isGrpc = fieldOf(fields, 'content-type')?.startsWith('application/grpc') === true;
    if (status !== 200 || !isGrpc)
      this.#break(lostCallError(this.#address, `it answered with status ${status}`, false));
  }

  replyData(buffer: Buffer, from: number, to: number): void {
    try {
      this.#call.charge(to - from);
    } catch (error) {
      return this.#break(error as Error);
    }
    this.#chunks.push(Buffer.from(buffer.subarray(from, to)));
    this.#length += to - from;
    this.#upstream.consumed(to - from);
    this.#take();
  }

  replyEnd(trailers: readonly Field[]): void {
    const error = answeredError(trailers.length === 0 ? this.#head : trailers);
    this.#fail(error ?? lostCallError(this.#address, 'it ended the stream', false));
  }

  requestDrained(): void {}

  replyFailed(error: StoreError): void {
    this.#fail(error);
  }

  #take(): void {
    for (;;) {
      const [first] = this.#chunks;
      if (first === undefined || this.#length < PREFIX_BYTES) return;
      const all = first.length >= PREFIX_BYTES ? first : this.#joined();
      const end = PREFIX_BYTES + all.readUInt32BE(1);
      if (this.#length < end) return;
      const whole = this.#joined();
      this.#chunks = whole.length > end ? [whole.subarray(end)] : [];
      this.#length -= end;
      this.#call.release(end);
      this.#waiting.shift()?.resolve(whole.subarray(PREFIX_BYTES, end));
    }
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    const all = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }

  #break(error: Error): void {
    this.#upstream.cancel();
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#call.release(this.#length);
    this.#chunks = [];
    this.#length = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#error);
  }
}

/** One message to the writer, and its reply. */
export async function askWriter(
  doors: ClusterDoors,
  call: Call,
  path: string,
  message: Buffer,
): Promise<Buffer> {
  const stream = new WriterStream(doors, call, path);
  stream.endWith(call);
  const reply = stream.request(message);
  stream.endRequests();
  return await reply;
}
