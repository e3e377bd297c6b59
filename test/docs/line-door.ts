/** A door of lines for one connection: `get KEY` and `append KEY TEXT`, answered in their order. */
import { isStoreError } from '../../src/errors.ts';
import type { Seam, Stop } from '../../src/store/seam.ts';
import { encodeKey } from '../../src/store/views/keys.ts';
import type { ReadView, View } from '../../src/store/views/view.ts';

export class LineDoor {
  readonly stop: Stop;
  readonly #seam: Seam;
  readonly #send: (line: string) => void;
  /** Bounded by what the connection may have under way. */
  readonly #waiting: { readonly sequence: number; readonly line: string; readonly hasChanged: boolean }[] =
    [];

  constructor(seam: Seam, send: (line: string) => void) {
    this.#seam = seam;
    this.#send = send;
    this.stop = seam.onDurable(() => this.#sendReady());
  }

  receive(request: string): void {
    const [command = '', key = '', ...words] = request.split(' ');
    const seam = this.#seam;
    try {
      if (command === 'get' && this.#waiting.length === 0) {
        // Nothing of this connection is under way: it sees what all see, at once.
        return this.#send(seam.readVisible((view) => get(view, key)));
      }
      const { result, sequence, hasChanged } = seam.decide((view) =>
        command === 'get' ? get(view, key) : append(view, key, words.join(' ')),
      );
      this.#waiting.push({ sequence, line: result, hasChanged });
    } catch (error) {
      // A refusal, too, may rest on what is not durable yet.
      const hasChanged = isStoreError(error, 'storageFailed');
      const line = `error: ${(error as Error).message}`;
      this.#waiting.push({ sequence: seam.committedSequence, line, hasChanged });
    }
    this.#sendReady();
  }

  #sendReady(): void {
    const waiting = this.#waiting;
    const { durableSequence, failure } = this.#seam;
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      const isDurable = next.sequence <= durableSequence;
      if (!isDurable && failure === undefined) return;
      const error = next.hasChanged ? failure?.whenChanged : failure?.whenUnchanged;
      this.#send(isDurable ? next.line : `error: ${error?.message}`);
      waiting.shift();
    }
  }
}

function get(view: ReadView, key: string): string {
  return Buffer.from(view.read(encodeKey(key))?.value ?? '').toString();
}

function append(view: View, key: string, text: string): string {
  const engineKey = encodeKey(key);
  const before = view.read(engineKey)?.value ?? new Uint8Array(0);
  view.put(engineKey, Buffer.concat([before, Buffer.from(text)]));
  return `revision ${view.nextRevision}`;
}
