/** Batches of `KvService.Pipeline`, of whose replies only the lengths are looked at. */
import type { PipelineRequestShape } from '../../gen/kelp/v1/kv_codec.ts';
import { prependPipelineRequest, sizeOfPipelineRequest } from '../../gen/kelp/v1/kv_codec.ts';
import { type RawReader, RawStream, framed, openConnection } from './raw-stream.ts';

/** A batch as the stream carries it. */
export function batchBytes(request: PipelineRequestShape): Buffer {
  const message = Buffer.alloc(sizeOfPipelineRequest(request));
  prependPipelineRequest(request, message, message.length);
  return framed(message);
}

/** One stream on a connection of its own. */
export class PipelineLoad implements RawReader {
  #stream: RawStream | undefined;
  #batches: readonly Buffer[] = [];
  #sent = 0;
  #answered = 0;
  #replyBytes = 0;
  #onDone: (replyBytes: number) => void = () => undefined;
  #onFailed: (error: Error) => void = () => undefined;

  static async open(address: string): Promise<PipelineLoad> {
    const load = new PipelineLoad();
    load.#stream = new RawStream(await openConnection(address), address, '/kelp.v1.KvService/Pipeline', load);
    return load;
  }

  /** Sends all, so many ahead of the replies. @returns the bytes of these. */
  run(batches: readonly Buffer[], ahead: number): Promise<number> {
    this.#batches = batches;
    this.#sent = this.#answered = this.#replyBytes = 0;
    return new Promise((resolve, reject) => {
      this.#onDone = resolve;
      this.#onFailed = reject;
      while (this.#sent < Math.min(ahead, batches.length)) this.#send();
    });
  }

  /** Ends the stream, and with it the connection. */
  close(): void {
    this.#stream?.finish();
  }

  message(_: Buffer, start: number, end: number): void {
    this.#replyBytes += end - start;
    this.#answered++;
    if (this.#sent < this.#batches.length) this.#send();
    else if (this.#answered === this.#batches.length) this.#onDone(this.#replyBytes);
  }

  failed(error: Error): void {
    this.#onFailed(error);
  }

  #send(): void {
    const batch = this.#batches[this.#sent++];
    if (batch !== undefined) this.#stream?.send(batch);
  }
}
