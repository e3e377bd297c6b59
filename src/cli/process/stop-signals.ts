/**
 * What signals do to a server. The first SIGTERM or SIGINT stops it, a second one ends the process: see
 * `first-signal.ts`. SIGHUP, which comes when a terminal is closed or a configuration is to be read again, is logged and
 * changes nothing.
 */
import type { Logger } from 'pino';
import type { RunningServer } from '../../server/server.ts';
import { FirstSignal, type SignalSource, type SignalledProcess } from './first-signal.ts';

/** Resolves when a signal has stopped the server. */
export function stopOnSignal(
  server: Pick<RunningServer, 'stop' | 'abort'>,
  source: SignalSource,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = new FirstSignal(
    ['SIGTERM', 'SIGINT'],
    source,
    () => resolve(server.stop().finally(() => first.leaveToSystem())),
    () => server.abort(),
  );
  return promise;
}

export function logHangups(logger: Logger, process: Pick<SignalledProcess, 'on'>): void {
  process.on('SIGHUP', () => logger.info('SIGHUP: nothing to do'));
}
