/**
 * What a command of the shell is. `table.ts` has all of them, and is the only place that knows which there are: dispatch,
 * transactions, completion and HELP go by what stands here.
 *
 * A command is prepared from its words first, without a store: what is wrong with them shows by then. What comes of that runs
 * against the interfaces of a session alone.
 */
import { assert } from '../../errors.ts';
import type { KeyCalls } from './keys/key-calls.ts';
import type { Transaction } from './keys/transaction.ts';
import type { WordFacts } from '../../shell-words/word-facts.ts';
import type { OnProgress } from '../../progress.ts';
import type { Reply } from './reply.ts';
import type { ShellStore } from './store/shell-store.ts';
import type { Watches } from './watches.ts';
import type { Word } from '../../shell-words/split-words.ts';

export interface ShellCommand extends WordFacts {
  /** Throws a `UsageError`. */
  prepare(words: readonly Word[]): Run;
}

/** @param parse makes of the words what the command is asked for; throws a `UsageError`. */
export function command<Request>(
  facts: WordFacts,
  parse: (words: readonly Word[]) => Request,
  run: (request: Request, session: ShellSession, signal: AbortSignal) => Promise<Reply>,
): ShellCommand {
  return {
    ...facts,
    prepare(words) {
      const request = parse(words);
      return (session, signal) => run(request, session, signal);
    },
  };
}

/** For commands whose name says all. */
export function nothing(): undefined {
  return undefined;
}

/** The word at a place where there is one: a command is prepared with as many words as it takes. */
export function wordAt(words: readonly Word[], index: number): Word {
  const word = words[index];
  assert(word !== undefined, 'a command gets the words that it takes');
  return word;
}

/** `signal` is aborted when the person, or the end of the process, gives the command up. */
export type Run = (session: ShellSession, signal: AbortSignal) => Promise<Reply>;

/** What commands may use and change. */
export interface ShellSession {
  readonly store: ShellStore;
  /** Those of the open transaction, or of the store. */
  readonly keys: KeyCalls;
  transaction: Transaction | undefined;
  readonly watches: Watches;
  readonly commands: readonly ShellCommand[];
  readonly isTerminal: boolean;
  readonly onProgress: OnProgress;
  /** EXIT was given. */
  isOver: boolean;
}
