/** Runs a server until a signal stops it. */
import { constants } from 'node:os';
import { loadConfig } from '../server/config.ts';
import { createLogger } from '../server/logger.ts';
import { type RunningServer, ServerStartError, startServer } from '../server/server.ts';
import { UsageError } from './exit-code.ts';
import { type Surroundings, clientEnvironmentNames } from './session.ts';
import { version } from './version.ts';

/** `flags` are by the names of the options. Resolves when the server has stopped. */
export async function runServer(
  flags: Readonly<Record<string, string | undefined>>,
  environment: Surroundings['environment'],
): Promise<void> {
  const config = await loadConfig({ flags, environment, otherEnvironmentNames: clientEnvironmentNames });
  const logger = createLogger({ level: config.logLevel, format: config.logFormat });
  const server = await startServer(config, { logger, version }).catch((error: unknown) => {
    throw isTlsFileFault(error) ? new UsageError(error.message, { cause: error }) : error;
  });
  const stopped = stopOnSignal(server);
  await server.ready;
  await stopped;
}

/** A file that an option names is missing or no PEM, as against an address that can't be had. */
function isTlsFileFault(error: unknown): error is ServerStartError {
  if (!(error instanceof ServerStartError)) return false;
  const { code = '', syscall = '' } = (error.cause ?? {}) as Partial<NodeJS.ErrnoException>;
  return ['open', 'read'].includes(syscall) || code.startsWith('ERR_OSSL_');
}

/** Resolves when a signal has stopped the server. A second signal ends the process at once. */
function stopOnSignal(server: RunningServer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isStopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isStopping) {
        server.abort();
        process.exit(128 + constants.signals[signal]);
      }
      isStopping = true;
      resolve(server.stop());
    });
  }
  return promise;
}
