/** A shell with a person in front of it: a prompt, until EXIT or Ctrl-D. */
import type { Readable } from 'node:stream';
import { isKelpError } from '../../client/errors/error.ts';
import { failureText } from '../process/failure.ts';
import type { Output } from '../terminal/output.ts';
import type { Interpreter } from './interpreter.ts';
import { farewell } from './reply.ts';
import { Completer } from './terminal/completion.ts';
import { History } from './terminal/history.ts';
import { LineEditor } from './terminal/line-editor.ts';

/** A session has one login, from its start on. */
const HOW_TO_LOG_IN = '; EXIT, and start the shell anew with one of them';

export interface InteractiveOptions {
  readonly stdin: Readable;
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Rejects with its reason when it is aborted. */
  readonly signal: AbortSignal;
  /** From when on what comes in the background is printed by the editor. */
  readonly onEditor: (editor: LineEditor) => void;
}

/** A command that fails tells so, and the next one is asked for. */
export async function runInteractive(
  interpreter: Interpreter,
  { stdin, output, environment, signal, onEditor }: InteractiveOptions,
): Promise<void> {
  const { session } = interpreter;
  const history = await History.open(environment);
  let interruption = new AbortController();
  const editor = new LineEditor({
    stdin,
    terminal: output.stream,
    history,
    completer: new Completer(session.commands, session.store),
    onInterrupt: () => interruption.abort(new GivenUpError()),
  });
  onEditor(editor);
  const close = (): void => editor.close();
  signal.addEventListener('abort', close);
  try {
    await output.writeLine(`KelpDB, ${session.store.place}. HELP lists the commands, EXIT leaves.`);
    while (!session.isOver) {
      const line = await editor.next(session.transaction === undefined ? 'kelp> ' : 'kelp (transaction)> ');
      signal.throwIfAborted();
      if (line === undefined) break;
      history.add(line);
      interruption = new AbortController();
      await interpreter.run(line, AbortSignal.any([signal, interruption.signal]), (error) =>
        output.writeLine(
          `error: ${failureText(error)}${isKelpError(error, 'unauthenticated') ? HOW_TO_LOG_IN : ''}`,
        ),
      );
    }
    // EXIT has said so already.
    if (!session.isOver) await output.writeLine(farewell(session.transaction !== undefined));
  } finally {
    signal.removeEventListener('abort', close);
    editor.close();
    await history.close();
  }
}

/** Ctrl-C has ended the waiting for a command. */
class GivenUpError extends Error {
  override readonly name = 'GivenUpError';

  constructor() {
    super('given up; a change that was under way may have been made all the same');
  }
}
