/**
 * A screen of its own on the terminal, for what refreshes: the other one, with what stood there, comes back at the end. Keys are read
 * one by one, without an echo. The sequences are those of xterm, which terminals share (ECMA-48 and DEC's private modes).
 */
import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import type { Output } from './output.ts';
import { stopUntilContinued } from './stop.ts';
import { fitLines } from './table.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const ERASE_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';

/** What Ctrl-Z sends. */
const STOP_KEY = '\u001a';
/** `q`, and what Ctrl-C and Ctrl-D send where the terminal makes no signal and no end of it. */
const quitKeys = ['q', 'Q', '\u0003', '\u0004'];

export class FullScreen {
  readonly #output: Output;
  readonly #keyboard: ReadStream | undefined;
  readonly #onQuit: () => void;

  /** @param stdin keys come from it if it is a terminal. */
  constructor(output: Output, stdin: Readable, onQuit: () => void) {
    this.#output = output;
    this.#keyboard = (stdin as Partial<ReadStream>).isTTY === true ? (stdin as ReadStream) : undefined;
    this.#onQuit = onQuit;
  }

  async enter(): Promise<void> {
    this.#keyboard?.setRawMode(true);
    this.#keyboard?.on('data', this.#onKeys).resume();
    await this.#output.write(ENTER);
  }

  /** Shows lines from the top, as many and as much of each as there is room for, and below them the `foot`. */
  async show(lines: readonly string[], foot: string): Promise<void> {
    const { rows, columns } = this.#output;
    const shown = await fitLines([...lines.slice(0, rows - 1), foot], columns);
    await this.#output.write(`${HOME}${shown.join(`${ERASE_LINE}\r\n`)}${ERASE_BELOW}`);
  }

  async leave(): Promise<void> {
    const keyboard = this.#keyboard;
    keyboard?.off('data', this.#onKeys).pause();
    keyboard?.setRawMode(false);
    await this.#output.write(LEAVE);
  }

  /** What is shown next is a whole picture again. */
  #stop(): void {
    const keyboard = this.#keyboard;
    if (keyboard === undefined) return;
    this.#output.writeSoon(LEAVE);
    stopUntilContinued(keyboard);
    this.#output.writeSoon(ENTER);
  }

  readonly #onKeys = (keys: Buffer | string): void => {
    const text = keys.toString();
    if (text.includes(STOP_KEY)) this.#stop();
    if (quitKeys.some((key) => text.includes(key))) this.#onQuit();
  };
}
