/** The driver of the TypeScript client with a fault put in, by the name of the fault: the script must find each. */
import { type WatchMessage, type WatchRequest, isKelpError } from '../../../src/client/index.ts';
import { type Fault, faultOf } from './faults.ts';
import { type Ops, TypescriptDriver, serve } from './typescript-driver.ts';

const never = (): Promise<never> => new Promise(() => undefined);

/** As a client does that takes each failure of a write for one without effect. */
function repeatingWrites(ops: Ops, names: readonly string[]): void {
  for (const name of names) {
    const run = ops[name];
    if (run === undefined) throw new Error(`there is no op ${name}`);
    ops[name] = async (fields) => {
      for (;;) {
        try {
          return await run(fields);
        } catch (error) {
          if (!isKelpError(error) || !error.mayHaveTakenEffect) throw error;
        }
      }
    };
  }
}

class FaultyDriver extends TypescriptDriver {
  readonly #fault: Fault;

  constructor(fault: Fault) {
    super();
    this.#fault = fault;
    const { txn } = this.ops;
    switch (fault) {
      case 'repeats a write':
        repeatingWrites(this.ops, ['put', 'delete', 'txn', 'increment']);
        break;
      case 'tells no lost lease':
        this.ops['leaseLost'] = never;
        break;
      case 'tells no lost lock':
        this.ops['lockLost'] = never;
        break;
      case 'writes without the guard':
        this.ops['txn'] = (fields) => txn!({ ...fields, guards: [] });
        break;
      case 'repeats an event':
      case 'leaves out an event':
      case 'goes on with another store':
        break;
    }
  }

  override async *watch(request: WatchRequest): AsyncIterable<WatchMessage> {
    let hasResumed = false;
    let last: WatchMessage | undefined;
    const options =
      this.#fault === 'goes on with another store'
        ? { ...request, restartWhenLost: true }
        : { ...request, onResumed: () => void (hasResumed = true) };
    for await (const message of super.watch(options)) {
      if (hasResumed && message.kind === 'events') {
        hasResumed = false;
        if (this.#fault === 'repeats an event' && last !== undefined) yield last;
        if (this.#fault === 'leaves out an event') continue;
      }
      if (message.kind === 'events') last = message;
      yield message;
    }
  }
}

await serve(new FaultyDriver(faultOf(process.argv[2])));
