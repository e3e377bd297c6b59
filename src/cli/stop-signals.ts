/**
 * What signals do to a server. The first SIGTERM or SIGINT stops it. From then on the system ends the process on the
 * next one: no code of ours or of Node has a part in it, since `process.exit` waits for threads of V8, at times for ever
 * (https://github.com/nodejs/node/issues/54918). A shell sees 128 and the number of the signal, as ever.
 *
 * Ctrl-C reaches every process of a terminal, and npm sends it on as well; so do supervisors that tell all processes of a
 * service to stop. A second signal right after the first is therefore taken for the same one.
 *
 * SIGHUP, which comes when a terminal is closed or a configuration is to be read again, is logged and changes nothing.
 */
import { constants } from 'node:os';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { serverFixed } from '../limits.ts';
import type { RunningServer } from '../server/server.ts';

const stopSignals = ['SIGTERM', 'SIGINT'] as const;

type StopSignal = (typeof stopSignals)[number];

/** As much of `process` as is needed here. */
export interface SignalledProcess {
  readonly pid: number;
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  readonly execPath: string;
  /** Has another program take the place of this one, without any clean-up. */
  execve?(file: string, args: readonly string[], environment: Record<string, string>): never;
}

/** Resolves when a signal has stopped the server. */
export function stopOnSignal(
  server: Pick<RunningServer, 'stop' | 'abort'>,
  { process, clock }: { readonly process: SignalledProcess; readonly clock: Clock },
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let phase: 'running' | 'stopping' | 'over' = 'running';
  const onSignal = (signal: NodeJS.Signals): void => {
    if (phase === 'over') return endFirstProcess(signal as StopSignal);
    if (phase === 'stopping') return;
    phase = 'stopping';
    clock.setTimer(serverFixed.signalEchoMs, leaveToSystem);
    resolve(server.stop().finally(leaveToSystem));
  };
  for (const signal of stopSignals) process.on(signal, onSignal);
  return promise;

  function leaveToSystem(): void {
    phase = 'over';
    // The system keeps signals without a listener from the first process of a container.
    if (process.pid === 1) return;
    for (const signal of stopSignals) process.off(signal, onSignal);
  }
  function endFirstProcess(signal: StopSignal): void {
    server.abort();
    const code = 128 + constants.signals[signal];
    // A Node that has just started has no threads at work to wait for.
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
  }
}

export function logHangups(logger: Logger, process: Pick<SignalledProcess, 'on'>): void {
  process.on('SIGHUP', () => logger.info('SIGHUP: nothing to do'));
}
