/**
 * `ReplySkipper`: takes the replies to what prepares a connection out of the bytes that the writer sends, and looks whether one is an
 * error. They are few and short; what comes behind them is for the client.
 */

const LF = 0x0a;

export class ReplySkipper {
  #bytes: Buffer = Buffer.alloc(0);
  #left: number;
  readonly #count: number;
  /** The first reply that is an error, with its code first. */
  error: string | undefined;

  /** @param count of replies that count. @param first before them so many that may be errors. */
  constructor(count: number, first = 0) {
    this.#left = first + count;
    this.#count = count;
  }

  /** What was read and not skipped: once `add` has returned true, what comes behind the replies. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** What was skipped last, as text: for what a greeting tells. */
  skipped = '';

  /** @returns whether all replies are there. */
  add(chunk: Buffer): boolean {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    while (this.#left > 0) {
      const end = this.#endOfReply(0);
      if (end === undefined) return false;
      const reply = this.#bytes.toString('latin1', 0, end);
      if (reply.startsWith('-') && this.#left <= this.#count) this.error ??= reply.slice(1, -2);
      this.skipped += reply;
      this.#bytes = this.#bytes.subarray(end);
      this.#left--;
    }
    return true;
  }

  /** @returns where a reply ends that begins at an index; `undefined`: it is not there as a whole. */
  #endOfReply(begin: number): number | undefined {
    const bytes = this.#bytes;
    const lineEnd = bytes.indexOf(LF, begin);
    if (lineEnd < 0) return undefined;
    const end = lineEnd + 1;
    const type = String.fromCharCode(bytes[begin] ?? 0);
    const length = Number(bytes.toString('latin1', begin + 1, lineEnd - 1));
    if (type === '$' || type === '=') {
      const valueEnd = length < 0 ? end : end + length + 2;
      return valueEnd <= bytes.length ? valueEnd : undefined;
    }
    const partCount = type === '%' ? 2 * length : '*~>'.includes(type) ? length : 0;
    let at: number | undefined = end;
    for (let part = 0; part < partCount && at !== undefined; part++) at = this.#endOfReply(at);
    return at;
  }
}
