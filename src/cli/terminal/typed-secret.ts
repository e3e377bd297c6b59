/**
 * A secret as the keys of a terminal make it, byte by byte and without a picture of it: Enter ends it, Backspace takes a character
 * back, Ctrl-U and Ctrl-Z all of them. Keys that type nothing, such as arrows, are passed over and make the terminal ring.
 */

const INTERRUPT = 0x03;
const END_OF_INPUT = 0x04;
const BACKSPACE = 0x08;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const ERASE_LINE = 0x15;
const SUSPEND = 0x1a;
const ESCAPE = 0x1b;
const QUIT = 0x1c;
const SPACE = 0x20;
const DELETE = 0x7f;

/**
 * What the next byte belongs to. `text`: it is a key. `escape`: ESC was the one before. `sequence`: within a control sequence
 * (ECMA-48), up to its final byte. `shifted`: one more byte belongs to the key (SS3, as of some function keys).
 */
type Phase = 'text' | 'escape' | 'sequence' | 'shifted';

/** `entered`: the secret is whole. `left`: the input has ended before it began. */
type Ending = 'entered' | 'interrupted' | 'left';

export interface Progress {
  /** Nothing: more keys are to come. */
  readonly ending?: Ending;
  /** Ctrl-Z was pressed. */
  readonly isSuspended: boolean;
  /** A key was passed over. */
  readonly rings: boolean;
  /** What was typed behind the end. */
  readonly rest: Uint8Array;
}

export class TypedSecret {
  readonly #bytesMax: number;
  readonly #bytes: number[] = [];
  #phase: Phase = 'text';

  /** @param bytesMax keys beyond are passed over, but for one, by which the secret is seen to be too long. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }

  take(keys: Uint8Array): Progress {
    let isSuspended = false;
    let rings = false;
    for (const [index, byte] of keys.entries()) {
      if (this.#phase !== 'text') {
        this.#phase = this.#phaseAfter(byte);
        continue;
      }
      const ending = this.#endingBy(byte);
      if (ending !== undefined) {
        const isPair = byte === RETURN && keys[index + 1] === NEWLINE;
        return { ending, isSuspended, rings, rest: keys.subarray(index + (isPair ? 2 : 1)) };
      }
      if (byte === SUSPEND) {
        isSuspended = true;
        // Asked anew, it is not known how far they had come.
        this.#bytes.length = 0;
      } else if (!this.#edit(byte)) rings = true;
    }
    return { isSuspended, rings, rest: keys.subarray(keys.length) };
  }

  #phaseAfter(byte: number): Phase {
    switch (this.#phase) {
      case 'escape':
        if (byte === 0x5b) return 'sequence';
        return byte === 0x4f ? 'shifted' : 'text';
      case 'sequence':
        return byte >= 0x40 && byte <= 0x7e ? 'text' : 'sequence';
      default:
        return 'text';
    }
  }

  #endingBy(byte: number): Ending | undefined {
    switch (byte) {
      case RETURN:
      case NEWLINE:
        return 'entered';
      case INTERRUPT:
      case QUIT:
        return 'interrupted';
      case END_OF_INPUT:
        return this.#bytes.length === 0 ? 'left' : 'entered';
      default:
        return undefined;
    }
  }

  /** @returns whether the key means anything here. */
  #edit(byte: number): boolean {
    if (byte === BACKSPACE || byte === DELETE) return this.#eraseCharacter();
    if (byte === ERASE_LINE) {
      this.#bytes.length = 0;
      return true;
    }
    if (byte === ESCAPE) this.#phase = 'escape';
    if (byte < SPACE) return false;
    if (this.#bytes.length <= this.#bytesMax) this.#bytes.push(byte);
    return this.#bytes.length <= this.#bytesMax;
  }

  /** A character of UTF-8 begins with its only byte that is no continuation. */
  #eraseCharacter(): boolean {
    if (this.#bytes.length === 0) return false;
    let last: number | undefined;
    do last = this.#bytes.pop();
    while (last !== undefined && (last & 0xc0) === 0x80);
    return true;
  }
}
