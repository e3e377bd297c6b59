/** Runs the conformance script of `clients/conformance` against the driver of a language. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Answer, type Begun, DriverProcess, within } from './driver-process.ts';
import { type Kept, differences, resolved, shown } from './matches.ts';
import { type ScriptServer, startServers } from './servers.ts';
import { type Expected, SUBJECTS, type Script, type Step, scriptsOf } from './steps.ts';

/** Program and arguments of the driver. */
export type Command = readonly string[] | (() => readonly string[] | Promise<readonly string[]>);

export interface RunOptions {
  /** The time in which an answer must come, for machines that are busy. Default 60 s. */
  readonly patienceMs?: number;
}

const TEST_MS = 240_000;
const PATIENCE_MS = 60_000;
const POLL_MS = 50;

/** Makes a test of each script. A function is asked for the command when a test begins. */
export function testConformance(language: string, command: Command): void {
  describe.each(SUBJECTS)(`${language}: %s`, (subject) => {
    test.each(scriptsOf(subject).map((script) => [script.name, script] as const))(
      '%s',
      { timeout: TEST_MS },
      async (_, script) => {
        const run = await runScript(script, typeof command === 'function' ? await command() : command);
        expect(run.exitCodes).toEqual(run.exitCodes.map(() => 0));
      },
    );
  });
}

/** @returns how its drivers ended that were not killed. Throws an error that names the step that failed. */
export async function runScript(
  script: Script,
  command: readonly string[],
  { patienceMs = PATIENCE_MS }: RunOptions = {},
): Promise<{ readonly exitCodes: readonly (number | null | undefined)[] }> {
  const kept: Kept = new Map();
  const servers = await startServers(script.servers ?? { main: {} }, kept);
  const run = new Run(servers, kept, command, patienceMs);
  for (const [index, step] of script.steps.entries()) {
    try {
      await run.step(step);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const place = `step ${index + 1} of "${script.name}": ${JSON.stringify(step)}`;
      throw new Error(`${place}\n${message}\n${run.stderr}`, { cause: error });
    }
  }
  return { exitCodes: await run.end() };
}

class Run {
  readonly #servers: ReadonlyMap<string, ScriptServer>;
  readonly #kept: Kept;
  readonly #command: readonly string[];
  readonly #patienceMs: number;
  readonly #drivers = new Map<string, DriverProcess>();
  readonly #begun = new Map<string, Begun>();

  constructor(
    servers: ReadonlyMap<string, ScriptServer>,
    kept: Kept,
    command: readonly string[],
    patienceMs: number,
  ) {
    this.#servers = servers;
    this.#kept = kept;
    this.#command = command;
    this.#patienceMs = patienceMs;
  }

  async step(step: Step): Promise<void> {
    if ('do' in step) {
      this.#check(step, await this.#answerOf(this.#begin(step.do, step.client)));
    } else if ('until' in step) {
      await this.#until(step);
    } else if ('begin' in step) {
      this.#begun.set(step.as, this.#begin(step.begin, step.client));
    } else if ('await' in step) {
      this.#check(step, await this.#answerOf(this.#asked(step.await)));
    } else if ('pending' in step) {
      const asked = this.#asked(step.pending);
      if (asked.isAnswered()) throw new Error(`it is answered already: ${shownAnswer(await asked.answer)}`);
    } else if ('server' in step) {
      const server = this.#servers.get(step.of ?? 'main');
      if (server === undefined) throw new Error('there is no such server');
      await server.act(step.server);
    } else {
      const { client = 'a' } = step;
      await this.#driver(client).signal(signals[step.driver]);
      if (step.driver === 'kill') this.#drivers.delete(client);
    }
  }

  get stderr(): string {
    return [...this.#drivers]
      .map(([name, { stderr }]) => stderr && `client ${name} wrote:\n${stderr}`)
      .join('');
  }

  end(): Promise<(number | null | undefined)[]> {
    return Promise.all([...this.#drivers.values()].map((driver) => within(driver.end(), this.#patienceMs)));
  }

  async #until(step: Extract<Step, { until: unknown }>): Promise<void> {
    const endsAt = performance.now() + this.#patienceMs;
    for (;;) {
      const answer = await this.#answerOf(this.#begin(step.until, step.client));
      const wrong = this.#differences(step, answer);
      if (wrong.length === 0) return;
      if (performance.now() > endsAt) throw new Error(`it never came to that: ${wrong.join('\n')}`);
      await sleep(POLL_MS);
    }
  }

  #begin(request: Extract<Step, { do: unknown }>['do'], client = 'a'): Begun {
    return this.#driver(client).begin(resolved(request, this.#kept) as typeof request);
  }

  #driver(name: string): DriverProcess {
    let driver = this.#drivers.get(name);
    if (driver === undefined) {
      driver = new DriverProcess(this.#command);
      this.#drivers.set(name, driver);
    }
    return driver;
  }

  #asked(name: string): Begun {
    const begun = this.#begun.get(name);
    if (begun === undefined) throw new Error(`nothing was begun as ${name}`);
    return begun;
  }

  async #answerOf({ answer }: Begun): Promise<Answer> {
    const given = await within(answer, this.#patienceMs);
    if (given === undefined) throw new Error(`no answer came within ${this.#patienceMs} ms`);
    return given;
  }

  #check(expected: Expected, answer: Answer): void {
    const wrong = this.#differences(expected, answer);
    if (wrong.length > 0) throw new Error(`${wrong.join('\n')}\nthe answer was ${shownAnswer(answer)}`);
  }

  #differences({ ok, error }: Expected, answer: Answer): string[] {
    if (error !== undefined) return differences(error, answer.error, this.#kept, 'error');
    if (ok !== undefined) return differences(ok, answer.ok, this.#kept, 'ok');
    throw new Error('the step does not say what its answer must be');
  }
}

const signals = { kill: 'SIGKILL', pause: 'SIGSTOP', resume: 'SIGCONT' } as const;

function shownAnswer({ ok, error }: Answer): string {
  return ok === undefined ? `the error ${shown(error)}` : shown(ok);
}
