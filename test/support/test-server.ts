/** A server of its own for a test: on a free port, with a data directory that goes with the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../../src/server/config/config.ts';
import { createLogger } from '../../src/server/logging/logger.ts';
import { type RunningServer, type ServerDependencies, startServer } from '../../src/server/server.ts';
import { engineOfTests, limitsOfEngine } from './test-engine.ts';

export interface TestServer extends RunningServer {
  /** `http://HOST:PORT`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly log: TestLog;
}

export interface TestServerOptions {
  /** By option name, without dashes. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly storeOptions?: ServerDependencies['storeOptions'];
  /** Also below what the option `--memory-limit` takes. */
  readonly memoryBytesMax?: number;
  readonly countsLoopback?: boolean;
  /** Left out: the server is alone. */
  readonly cluster?: ServerDependencies['cluster'];
  /** What a server with the flag `log` stands on. */
  readonly nodeParts?: ServerDependencies['nodeParts'];
  /** Where the files of the console are; left out: there are none. */
  readonly consoleFolder?: string;
  /** False: returns while the store is still being recovered. */
  readonly waitUntilReady?: boolean;
}

/** The lines that a server logged. */
export class TestLog {
  readonly lines: Record<string, unknown>[] = [];
  #wake = (): void => undefined;

  write(line: string): void {
    this.lines.push(JSON.parse(line) as Record<string, unknown>);
    this.#wake();
  }

  /** Waits for the first line that holds, or gives the one that has come already. */
  async line(holds: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.lines.find(holds);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  message(msg: string): Promise<Record<string, unknown>> {
    return this.line((line) => line['msg'] === msg);
  }
}

/** Starts a server that is stopped when the test ends. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const {
    flags = {},
    storeOptions,
    countsLoopback = false,
    waitUntilReady = true,
    cluster,
    nodeParts,
  } = options;
  const { memoryBytesMax, consoleFolder } = options;
  const dataDir = flags['data-dir'] ?? (await temporaryDirectory());
  const log = new TestLog();
  // A node of a cluster keeps its keys in memory, and so does what follows a server.
  const isReplicated = flags['log'] !== undefined || flags['follow'] !== undefined;
  const engine = isReplicated ? undefined : engineOfTests();
  const loaded = await loadConfig({
    flags: {
      listen: '127.0.0.1:0',
      'data-dir': dataDir,
      'log-level': 'debug',
      ...(!isReplicated && { fsync: 'never' }),
      ...(engine !== undefined && storeOptions?.makeEngine === undefined && { engine }),
      ...flags,
    },
  });
  const limits = 'checkpoint-bytes' in flags ? {} : limitsOfEngine();
  const config = {
    ...loaded,
    limits: { ...loaded.limits, ...limits },
    memoryBytesMax: memoryBytesMax ?? loaded.memoryBytesMax,
  };
  const logger = createLogger({ level: config.logLevel, format: 'json' }, log);
  const server = await startServer(config, {
    logger,
    version: '0.0.0-test',
    passwordCost: 2,
    countsLoopback,
    cluster,
    nodeParts,
    ...(consoleFolder !== undefined && { consoleFolder }),
    ...(storeOptions === undefined ? {} : { storeOptions }),
  });
  onTestFinished(async () => {
    server.abort();
    await server.stop();
  });
  if (waitUntilReady) await server.ready;
  const separator = server.address.lastIndexOf(':');
  return {
    address: server.address,
    redisAddress: server.redisAddress,
    url: `${config.tls === undefined ? 'http' : 'https'}://${server.address}`,
    host: server.address.slice(0, separator).replace(/^\[|\]$/g, ''),
    port: Number(server.address.slice(separator + 1)),
    dataDir,
    log,
    ready: server.ready,
    renewTls: () => server.renewTls(),
    stop: () => server.stop(),
    abort: () => server.abort(),
  };
}

export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kelp-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}
