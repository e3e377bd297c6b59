/** `Frame`: what the generator knows of the function whose code it writes. */
import type { FunctionBody, Variable } from '../syntax/tree.ts';

/** What a frame takes of the stack beside its variables, with the frames of what the runtime does for it, in slots. */
const FRAME_SLOTS = 40;
/** So many nodes of the tree are one step. */
const NODES_PER_STEP = 8;

export class Frame {
  readonly body: FunctionBody;
  /** The nodes of the tree that were written. */
  nodeCount = 0;
  /** The line that `l` has here whatever came before; -1: one of several. */
  line: number;
  readonly #isOneLine: boolean;
  #liveTemporaries = 0;
  #temporaryCount = 0;
  #variableCount = 0;
  #argumentsMax = 0;

  constructor(body: FunctionBody) {
    this.body = body;
    this.line = this.firstLine;
    this.#isOneLine = this.firstLine === body.lastLine;
  }

  get firstLine(): number {
    return Math.max(1, this.body.line);
  }

  /** A variable of JavaScript that holds a value until it is given back; the last taken is given back first. */
  takeTemporary(): string {
    this.#liveTemporaries++;
    this.#temporaryCount = Math.max(this.#temporaryCount, this.#liveTemporaries);
    return `t${this.#liveTemporaries}`;
  }

  giveBack(count = 1): void {
    this.#liveTemporaries -= count;
  }

  get temporaries(): string {
    return Array.from({ length: this.#temporaryCount }, (_, index) => `,t${index + 1}`).join('');
  }

  countVariables(count: number): void {
    this.#variableCount += count;
  }

  countArguments(count: number): void {
    this.#argumentsMax = Math.max(this.#argumentsMax, count);
  }

  get slots(): number {
    return FRAME_SLOTS + 2 * (this.#variableCount + this.#temporaryCount) + this.#argumentsMax;
  }

  /** What sets `l` to a line, with a comma behind; empty when it has it. */
  toLine(line: number): string {
    if (this.#isOneLine || this.line === line) return '';
    this.line = line;
    return `l=${line},`;
  }

  /** The same where the code may be left out: `l` is one of two afterwards. */
  perhapsToLine(line: number): string {
    const code = this.toLine(line);
    if (code !== '') this.line = -1;
    return code;
  }

  /** Several ways meet here. */
  forgetLine(): void {
    this.line = -1;
  }

  /** The steps of what was written since there were so many nodes. */
  stepsSince(nodeCount: number): number {
    return 1 + Math.floor((this.nodeCount - nodeCount) / NODES_PER_STEP);
  }
}

/** Names of Lua never stand in the code: variables have numbers. */
export function variableName(variable: Variable): string {
  return `$${variable.id}`;
}
