/**
 * The line that is being typed: Node's own editor, and what it lacks. A watch can print above the line without destroying it;
 * Ctrl-C clears it; Ctrl-Z stops the shell, which goes on with it; what is typed while a command runs is kept, and shown when its turn has come.
 *
 * States: `waiting` for a line, with the prompt shown; `busy` while a command runs, when nothing is drawn; `closed` by Ctrl-D
 * or by the end of the terminal.
 */
import { type Interface, clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import type { Readable } from 'node:stream';
import { shell as limits } from '../../../limits.ts';
import { escapeUnprintable } from '../../../server/logging/printable.ts';
import { InterruptedError } from '../../process/interrupt.ts';
import type { OutputStream } from '../../terminal/output.ts';
import { stopUntilContinued } from '../../terminal/stop.ts';
import type { Completer, Offer } from './completion.ts';
import { type History, isKept } from './history.ts';
import { QuietOutput } from './quiet-output.ts';

export interface LineEditorOptions {
  readonly stdin: Readable;
  readonly terminal: OutputStream;
  readonly history: History;
  readonly completer: Completer;
  /** Ctrl-C while a command runs. */
  readonly onInterrupt: () => void;
}

const BELL = '\u0007';

interface TypedLine {
  readonly text: string;
  /** Whether it stands on the screen: what was typed while a command ran does not. */
  readonly isShown: boolean;
}

export class LineEditor {
  readonly #editor: Interface;
  readonly #terminal: OutputStream;
  readonly #output: QuietOutput;
  readonly #options: LineEditorOptions;
  /** Bounded: at its limit nothing is read. */
  readonly #lines: TypedLine[] = [];
  #isClosed = false;
  #isHungUp = false;
  #wake = (): void => undefined;

  constructor(options: LineEditorOptions) {
    const { stdin, terminal, history, completer } = options;
    this.#options = options;
    this.#terminal = terminal;
    this.#output = new QuietOutput(terminal);
    this.#output.isQuiet = true;
    this.#editor = createInterface({
      input: stdin,
      output: this.#output,
      terminal: true,
      history: [...history.lines].reverse(),
      historySize: limits.historyLinesMax,
      removeHistoryDuplicates: true,
      completer: (line: string, tell: (error: null, offer: Offer) => void) =>
        void completer.complete(line).then((offer) => {
          // Nothing to add by itself; a second tabulator shows what there is.
          if (this.#isClosed) return;
          if (offer[0].length !== 1) this.#output.write(BELL);
          tell(null, offer);
        }),
    });
    this.#editor.on('history', (lines: string[]) => {
      if (lines[0] !== undefined && !isKept(lines[0])) lines.shift();
    });
    this.#editor.on('line', (text) => this.#take(text));
    this.#editor.on('SIGINT', () => this.#interrupt());
    this.#editor.on('SIGTSTP', () => this.#suspend());
    // The terminal is gone: reading from it, or giving it back, fails. Without a listener this would end the process.
    this.#editor.on('error', () => {
      this.#isHungUp = true;
    });
    this.#editor.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /**
   * Shows the prompt and waits for a line; `undefined` when there is none any more. From then on a command runs.
   * @throws InterruptedError when the terminal is gone, as the signal says that comes with that.
   */
  async next(prompt: string): Promise<string | undefined> {
    const typed = this.#lines.shift();
    if (typed !== undefined) {
      if (!this.#isClosed) this.#editor.resume();
      if (!typed.isShown) this.#terminal.write(`${prompt}${escapeUnprintable(typed.text)}\n`);
      return typed.text;
    }
    if (this.#isHungUp) throw new InterruptedError('SIGHUP');
    if (this.#isClosed) return undefined;
    this.#output.isQuiet = false;
    this.#draw(prompt);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#output.isQuiet = true;
    if (this.#isHungUp) throw new InterruptedError('SIGHUP');
    const line = this.#lines.shift();
    // Ctrl-D leaves the cursor behind the prompt.
    if (line === undefined) this.#terminal.write('\n');
    return line?.text;
  }

  /** Prints whole lines, above the line that is being typed if there is one. Resolves when they are handed over. */
  printAbove(text: string, write: (text: string) => Promise<void>): Promise<void> {
    if (this.#output.isQuiet) return write(text);
    // In one write, so that no half of it is seen.
    this.#terminal.cork();
    const { rows } = this.#editor.getCursorPos();
    moveCursor(this.#terminal, 0, -rows);
    cursorTo(this.#terminal, 0);
    clearScreenDown(this.#terminal);
    const written = write(text);
    this.#draw();
    this.#terminal.uncork();
    return written;
  }

  /** Gives the terminal back; also ends the waiting for a line. */
  close(): void {
    this.#editor.close();
    this.#output.destroy();
  }

  #take(text: string): void {
    this.#lines.push({ text, isShown: !this.#output.isQuiet });
    // Further lines of what was pasted wait for this one.
    this.#output.isQuiet = true;
    if (this.#lines.length >= limits.waitingLinesMax) this.#editor.pause();
    this.#wake();
  }

  #interrupt(): void {
    if (this.#output.isQuiet) {
      this.#lines.length = 0;
      this.#clearLine();
      this.#options.onInterrupt();
      return;
    }
    // From the end of the line, so that all of it stays readable above the next prompt.
    this.#editor.write(null, { ctrl: true, name: 'e' });
    this.#terminal.write('^C\n');
    this.#output.isQuiet = true;
    this.#clearLine();
    this.#output.isQuiet = false;
    this.#draw();
  }

  /** Ctrl-Z: goes on with the same line. */
  #suspend(): void {
    const isBusy = this.#output.isQuiet;
    if (!isBusy) {
      this.#editor.write(null, { ctrl: true, name: 'e' });
      this.#terminal.write('^Z\n');
    }
    stopUntilContinued(this.#options.stdin);
    if (!isBusy) this.#draw();
  }

  #clearLine(): void {
    this.#editor.write(null, { ctrl: true, name: 'e' });
    this.#editor.write(null, { ctrl: true, name: 'u' });
  }

  /**
   * Draws prompt and line where the cursor stands, at the begin of a row. The editor believes that its cursor stands in the
   * row of the line where it was last, and draws from the first of these on: so many rows are made.
   */
  #draw(prompt = this.#editor.getPrompt()): void {
    const { rows } = this.#editor.getCursorPos();
    this.#terminal.write('\n'.repeat(rows));
    this.#editor.setPrompt(prompt);
    this.#editor.prompt(true);
  }
}
