/**
 * What signals do to a server. The first SIGTERM or SIGINT stops it, a second one ends the process: see
 * `first-signal.ts`. SIGHUP has the TLS files read again, as services are told by it, and never ends the server: it also comes when
 * a terminal is closed, and the server goes on then, as it does under nohup.
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

/** @param server `undefined`: it has not begun to listen. */
export function renewOnHangup(
  server: () => Pick<RunningServer, 'renewTls'> | undefined,
  process: Pick<SignalledProcess, 'on'>,
  logger: Logger,
): void {
  process.on('SIGHUP', () => {
    if (server()?.renewTls() === undefined) logger.info('SIGHUP: there are no TLS files to read again');
  });
}
