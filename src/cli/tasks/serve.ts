/** The work of `serve`: runs a server until a signal stops it. */
import { systemClock } from '../../clock.ts';
import { serverFixed } from '../../limits.ts';
import type { ClusterConfig } from '../../server/config/cluster-config.ts';
import { type ServerConfig, loadConfig } from '../../server/config/config.ts';
import { LogOutput } from '../../server/logging/log-output.ts';
import { createLogger, logGaps } from '../../server/logging/logger.ts';
import { type RunningServer, ServerStartError, startServer } from '../../server/server.ts';
import type { NodeParts } from '../../server/store-opener.ts';
import { TlsFileError } from '../../server/tls/tls-material.ts';
import { endOnCrash } from '../process/crash.ts';
import { V8Heap, keepHeapSmall, loopBusyShare } from '../process/idle-heap.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import type { ClientPeers } from '../session/peers.ts';
import { type Surroundings, clientEnvironmentNames } from '../session/session.ts';
import { renewOnHangup, stopOnSignal } from '../process/stop-signals.ts';
import { consoleFolder, version } from '../process/version.ts';

/** `flags` are by the names of the options. Resolves when the server has stopped. */
export async function runServer(
  flags: Readonly<Record<string, string | undefined>>,
  environment: Surroundings['environment'],
): Promise<void> {
  const config = await loadConfig({ flags, environment, otherEnvironmentNames: clientEnvironmentNames });
  const cluster = config.cluster === undefined ? undefined : await nodePartsOf(config, config.cluster);
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
      consoleFolder,
      droppedLogLines,
      nodeParts: cluster?.parts,
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
    cluster?.peers?.close();
    // The process ends by itself, unless lines of the log wait for a reader or a recovery goes on.
    systemClock.setTimer(serverFixed.exitGraceMs, () => process.exit());
  }
}

/** What a node of a cluster, or a server that follows another one, stands on; what it names is read before anything is started. */
async function nodePartsOf(
  config: ServerConfig,
  cluster: ClusterConfig,
): Promise<{ readonly parts: NodeParts; readonly peers?: ClientPeers }> {
  if (cluster.follow !== undefined) {
    const { followedServerOf } = await import('../session/followed-server.ts');
    return { parts: { openFollowed: await followedServerOf(cluster.follow) } };
  }
  const [{ sharedLogOf }, { peersOf }] = await Promise.all([
    import('../session/shared-log.ts'),
    import('../session/peers.ts'),
  ]);
  const openSharedLog = await sharedLogOf(cluster);
  const { peers, ...shown } = await peersOf(config);
  return { parts: { openSharedLog, peers, ...shown }, peers };
}

/** A file that an option names is missing or can't be used, as against an address that can't be had. */
function isTlsFileFault(error: unknown): error is ServerStartError {
  return error instanceof ServerStartError && error.cause instanceof TlsFileError;
}
