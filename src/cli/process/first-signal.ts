/**
 * Hears the first of some signals, which is there to end work in good order. From then on the system ends the process on
 * the next one: no code of ours or of Node has a part in it, since `process.exit` waits for threads of V8, at times for
 * ever (https://github.com/nodejs/node/issues/54918). A shell sees 128 and the number of the signal, as ever.
 *
 * Ctrl-C reaches every process of a terminal, and npm sends it on as well; so do supervisors that tell all processes of a
 * service to stop. A second signal right after the first is therefore taken for the same one.
 */
import { constants } from 'node:os';
import type { Clock } from '../../clock.ts';
import { serverFixed } from '../../limits.ts';

/** As much of `process` as is needed here. */
export interface SignalledProcess {
  readonly pid: number;
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  readonly execPath: string;
  /** Has another program take the place of this one, without any clean-up. */
  execve?(file: string, args: readonly string[], environment: Record<string, string>): never;
}

/** What signals come to, and by what time an echo is told from a second one. */
export interface SignalSource {
  readonly process: SignalledProcess;
  readonly clock: Clock;
}

export class FirstSignal<Signal extends NodeJS.Signals> {
  readonly #signals: readonly Signal[];
  readonly #process: SignalledProcess;
  readonly #clock: Clock;
  readonly #onFirst: (signal: Signal) => void;
  readonly #beforeEnd: () => void;
  /** `listening`: none has come. `heard`: one has, and others are its echo. `over`: the next one ends the process. */
  #phase: 'listening' | 'heard' | 'over' = 'listening';

  /**
   * @param onFirst called once, with the first signal.
   * @param beforeEnd called where the system would not end the process and this does.
   */
  constructor(
    signals: readonly Signal[],
    { process, clock }: SignalSource,
    onFirst: (signal: Signal) => void,
    beforeEnd = (): void => undefined,
  ) {
    this.#signals = signals;
    this.#process = process;
    this.#clock = clock;
    this.#onFirst = onFirst;
    this.#beforeEnd = beforeEnd;
    for (const signal of signals) process.on(signal, this.#onSignal);
  }

  /** Whether a signal has come so lately that its echo may still come. */
  get mayEcho(): boolean {
    return this.#phase === 'heard';
  }

  leaveToSystem(): void {
    this.#phase = 'over';
    // The system keeps signals without a listener from the first process of a container.
    if (this.#process.pid === 1) return;
    for (const signal of this.#signals) this.#process.off(signal, this.#onSignal);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    const signal = name as Signal;
    if (this.#phase === 'over') return this.#endFirstProcess(signal);
    if (this.#phase === 'heard') return;
    this.#phase = 'heard';
    this.#clock.setTimer(serverFixed.signalEchoMs, () => this.leaveToSystem());
    this.#onFirst(signal);
  };

  #endFirstProcess(signal: Signal): void {
    this.#beforeEnd();
    const code = 128 + constants.signals[signal];
    const { execPath } = this.#process;
    // A Node that has just started has no threads at work to wait for.
    this.#process.execve?.(execPath, [execPath, '--eval', `process.exit(${code})`], {});
  }
}
