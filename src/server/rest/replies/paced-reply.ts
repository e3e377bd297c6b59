/** A reply that is written piece by piece, no faster than its client reads. */
import type { Stoppable } from '../../calls/call.ts';
import type { HeaderList } from '../../http/http-message.ts';
import type { RestCall } from '../rest-call.ts';

export class PacedReply implements Stoppable {
  readonly #call: RestCall;
  readonly #onStop: () => void;
  #goOn: (() => void) | undefined;

  /** @param onStop called when the client is gone, or the server ends its streams. */
  constructor(call: RestCall, headers: HeaderList, onStop: () => void = () => undefined) {
    this.#call = call;
    this.#onStop = onStop;
    call.beginStream(200, headers, () => this.#wake());
    call.call.stopOnAbort(this);
  }

  /** Resolves when the next piece may be written, with false when the client is gone. */
  async write(piece: Uint8Array): Promise<boolean> {
    if (this.#call.write(piece)) return true;
    if (this.#call.isClosed) return false;
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
    return !this.#call.isClosed;
  }

  end(): void {
    this.#call.endStream();
  }

  /** Of the call: it has ended, or is to end. */
  stop(): void {
    this.#onStop();
    this.#wake();
  }

  #wake(): void {
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
  }
}
