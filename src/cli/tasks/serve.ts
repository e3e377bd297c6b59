/** The work of `serve`: runs a server until a signal stops it. */
import { systemClock } from '../../clock.ts';
import { serverFixed } from '../../limits.ts';
import { loadConfig } from '../../server/config/config.ts';
import { LogOutput } from '../../server/logging/log-output.ts';
import { createLogger, logGaps } from '../../server/logging/logger.ts';
import { type RunningServer, ServerStartError, startServer } from '../../server/server.ts';
import { TlsFileError } from '../../server/tls/tls-material.ts';
import { endOnCrash } from '../process/crash.ts';
import { V8Heap, keepHeapSmall, loopBusyShare } from '../process/idle-heap.ts';
import { UsageError } from '../process/exit-code.ts';
import { type Surroundings, clientEnvironmentNames } from '../session/session.ts';
import { renewOnHangup, stopOnSignal } from '../process/stop-signals.ts';
import { version } from '../process/version.ts';

/** `flags` are by the names of the options. Resolves when the server has stopped. */
export async function runServer(
  flags: Readonly<Record<string, string | undefined>>,
  environment: Surroundings['environment'],
): Promise<void> {
  const config = await loadConfig({ flags, environment, otherEnvironmentNames: clientEnvironmentNames });
  const output = new LogOutput(process.stdout);
  const logger = createLogger({ level: config.logLevel, format: config.logFormat }, output);
  logGaps(logger, output);
  let running: RunningServer | undefined;
  renewOnHangup(() => running, process, logger);
  const leaveCrashes = endOnCrash(logger);
  const heapKeeper = keepHeapSmall({ heap: new V8Heap(), clock: systemClock, busyShare: loopBusyShare() });
  const droppedLogLines = (): number => output.droppedCount;
  try {
    const server = await startServer(config, {
      logger,
      version,
      droppedLogLines,
      // As an operator would, so that the process ends with it.
      shutDown: () => void process.kill(process.pid, 'SIGTERM'),
    }).catch((error: unknown) => {
      throw isTlsFileFault(error) ? new UsageError(error.message, { cause: error }) : error;
    });
    running = server;
    const stopped = stopOnSignal(server, { process, clock: systemClock });
    await server.ready;
    await stopped;
  } finally {
    leaveCrashes();
    heapKeeper.cancel();
    // The process ends by itself, unless lines of the log wait for a reader or a recovery goes on.
    systemClock.setTimer(serverFixed.exitGraceMs, () => process.exit());
  }
}

/** A file that an option names is missing or can't be used, as against an address that can't be had. */
function isTlsFileFault(error: unknown): error is ServerStartError {
  return error instanceof ServerStartError && error.cause instanceof TlsFileError;
}
