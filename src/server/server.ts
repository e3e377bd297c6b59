/**
 * The server's life: it listens first, so that health checks are answered while a long recovery runs, then opens the
 * store, then is ready; and goes the same way back when it stops. A node of a cluster may open its store again in between
 * (`store-life.ts`).
 */
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Access } from '../access/access.ts';
import { type Timer, holdProcess, systemClock, systemRandom } from '../clock.ts';
import { nodeDisk } from '../disk/node-disk.ts';
import type { ClusterNode } from '../cluster/node.ts';
import { leaveOutTraces } from '../errors.ts';
import { cluster as clusterLimits, serverFixed } from '../limits.ts';
import type { StoreOptions } from '../store/store-options.ts';
import type { KvStore } from '../kv/kv-store.ts';
import { Audit } from './access/audit.ts';
import type { ClusterDoors } from './cluster/cluster-doors.ts';
import { Logins } from './access/logins.ts';
import { recoveringError, reopeningError } from './calls/call-error.ts';
import { SafeStart } from './access/safe-start.ts';
import { CallTable } from './calls/call-table.ts';
import { etcdServices } from './etcd/services.ts';
import type { HttpRequest } from './http/http-message.ts';
import type { ServerConfig } from './config/config.ts';
import { AddressLimit } from './limits/address-limit.ts';
import { RateLimits } from './limits/rate-limits.ts';
import { Listener } from './listener/listener.ts';
import { MetricsEndpoint } from './health/metrics-endpoint.ts';
import { Measures } from './measures.ts';
import { openFilesMax, withinOpenFiles } from './config/open-files.ts';
import { type ListenAddress, formatAddress, urlOf } from './config/option-values.ts';
import { requestHandlers } from './listener/request-handler.ts';
import { rpcEndpoints } from './connect/rpc-endpoints.ts';
import { ServerState } from './health/server-state.ts';
import { servedServices } from './services/services.ts';
import { NodeSide } from './node-side.ts';
import { type NodeParts, StoreOpener } from './store-opener.ts';
import { type Served, StoreLife } from './store-life.ts';
import { Deadlines } from '../deadlines.ts';
import { RequestOrder } from './http/request-order.ts';
import { restApi } from './rest/rest.ts';
import { Scripts } from './scripts/scripts.ts';
import { ServerTraces } from './tracing/server-traces.ts';
import type { SpanExport } from './tracing/span-export.ts';
import { grpcLane } from './grpc/grpc-lane.ts';
import { AclUsers } from './redis/acl/acl-users.ts';
import { openRedis } from './redis/open-redis.ts';
import { RedisListener } from './redis/redis-listener.ts';
import { RedisLogins } from './redis/redis-logins.ts';
import { CONSOLE_PATH, ConsolePages, isConsoleOn } from './console/console-pages.ts';
import { Cors } from './web/cors.ts';
import { PageRefusal } from './web/page-refusal.ts';
import { WebGuard } from './web/web-guard.ts';
import { Routes } from './grpc/routes.ts';
import { clientCertificateOf } from './tls/client-certificate.ts';
import { readTlsFiles } from './tls/tls-files.ts';
import { type TlsMaterial, checkTlsFiles } from './tls/tls-material.ts';
import { TlsRenewal } from './tls/tls-renewal.ts';

export interface ServerDependencies {
  readonly logger: Logger;
  /** Of the product, as `Status` tells it. */
  readonly version: string;
  /** What a client asks for that may stop the server (SHUTDOWN); left out: the server stops, and the process goes on. */
  readonly shutDown?: () => void;
  /** How many lines of the log were dropped so far; left out: none ever is. */
  readonly droppedLogLines?: () => number;
  /** Whether connections from this machine count among those of an address; for tests, which have no others. */
  readonly countsLoopback?: boolean;
  /** Of a node of a cluster: what it reaches the shared log and the other nodes by. */
  readonly nodeParts?: NodeParts | undefined;
  /** What else the store runs on; for tests. */
  readonly storeOptions?: Pick<StoreOptions, 'clock' | 'random' | 'disk' | 'makeEngine'>;
  /** `undefined`: the server is alone. */
  readonly cluster?: ClusterDoors | undefined;
  /** Where the files of the console are (`tools/build-console.ts`); left out, or not there: there is no console. */
  readonly consoleFolder?: string;
  /** Of scrypt; for tests, which would wait for it. */
  readonly passwordCost?: number;
}

export interface RunningServer {
  /** Where it listens: `HOST:PORT`, with the port that the system chose, or `unix:PATH`. */
  readonly address: string;
  /** Where clients of Redis are served; '' if nowhere. */
  readonly redisAddress: string;
  /** Resolves when the store is recovered and calls are served. Rejects with the store's error when it can't be. */
  readonly ready: Promise<void>;
  /**
   * Takes no new call, ends streams, lets the other calls finish, closes the store, which may write a snapshot: all of it
   * within `shutdownTimeoutMs`. May be called before the server is ready; called again it gives the same promise.
   */
  stop(): Promise<void>;
  /**
   * Reads the TLS files again; resolves when new connections get what is in them, or the log says why not.
   * @returns `undefined`: there are none.
   */
  renewTls(): Promise<void> | undefined;
  /** Closes every connection at once. What was acknowledged is as durable as it was; the process may exit. */
  abort(): void;
}

/** The server can't begin to listen: the address or the TLS files can't be used. The message says why. */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError';
}

/**
 * Resolves when the server listens, which is before it is ready. Rejects with a `ServerStartError`, and with an `OptionError` when it
 * would not be safe (`access/safe-start.ts`); what the store has to be open for to be known, `ready` rejects with.
 */
export async function startServer(
  config: ServerConfig,
  dependencies: ServerDependencies,
): Promise<RunningServer> {
  leaveOutTraces();
  const tls = config.tls === undefined ? undefined : await tlsMaterial(config.tls);
  const spanExport = config.otlp === undefined ? undefined : await startExport(config.otlp, dependencies);
  const server = new Server(config, dependencies, tls, spanExport);
  await server.listen();
  server.open();
  return server;
}

class Server implements RunningServer {
  /** With the limits that the open files leave room for. */
  readonly #config: ServerConfig;
  readonly #dependencies: ServerDependencies;
  readonly #state = new ServerState();
  readonly #calls: CallTable;
  readonly #listener: Listener;
  readonly #redisListener: RedisListener | undefined;
  readonly #redisLogins: RedisLogins;
  readonly #audit: Audit;
  readonly #console: ConsolePages;
  #redisAddress = '';
  #redisBound: ListenAddress | undefined;
  readonly #tlsRenewal: TlsRenewal | undefined;
  readonly #measures: Measures;
  readonly #spanExport: SpanExport | undefined;
  #address = '';
  #bound: ListenAddress | undefined;
  #clientUrl = '';
  #safeStart: SafeStart | undefined;
  readonly #life: StoreLife;
  readonly #opener: StoreOpener;
  readonly #node: NodeSide;
  #ready: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(
    config: ServerConfig,
    dependencies: ServerDependencies,
    tls: TlsMaterial | undefined,
    spanExport: SpanExport | undefined,
  ) {
    const { logger, version, droppedLogLines = () => 0 } = dependencies;
    const limits = withinOpenFiles(
      config.serverLimits,
      openFilesMax(),
      config.redis === undefined ? 1 : 2,
      logger,
    );
    const state = this.#state;
    this.#config = { ...config, serverLimits: limits };
    this.#dependencies = dependencies;
    this.#spanExport = spanExport;
    const rates = new RateLimits(limits, dependencies.storeOptions?.clock ?? systemClock);
    this.#calls = new CallTable(limits, {
      traces: new ServerTraces(spanExport),
      clock: dependencies.storeOptions?.clock,
      rates: rates.isOn ? rates : undefined,
    });
    const addressLimit = new AddressLimit(limits.connectionsPerAddressMax, dependencies.countsLoopback);
    this.#measures = new Measures(this.#calls, limits, addressLimit);
    const calls = this.#calls;
    const measures = this.#measures;
    const deadlines = new Deadlines(systemClock);
    this.#opener = new StoreOpener(this.#config, dependencies, { state, measures, traces: calls.traces });
    this.#life = new StoreLife({
      open: (signal) => this.#opener.open(this.#node.address, signal),
      settle: (opened, signal) => this.#opener.settle(opened, this.#safeStart, signal),
      onServed: (served) => this.#begin(served),
      withdraw: () => this.#withdraw(),
      state,
      logger,
      clock: systemClock,
    });
    const store = (): KvStore | undefined => this.#life.store;
    this.#node = new NodeSide(
      {
        config,
        nodeParts: dependencies.nodeParts,
        state,
        meter: measures.nodeMeter,
        logger,
        bound: () => ({ http: this.#address, redis: this.#redisAddress }),
      },
      () => this.#life,
      dependencies.cluster,
    );
    const { doors: cluster } = this.#node;
    const audit = (this.#audit = new Audit(logger));
    calls.onDenied = (call, name) => audit.callDenied(call, name);
    const logins = new Logins(
      () => this.#life.access,
      (connection) => {
        const certificate = clientCertificateOf(connection);
        return certificate && { kind: 'certificate', ...certificate };
      },
      audit,
    );
    this.#redisLogins = new RedisLogins(logins, audit);
    const { openMetrics, openReflection } = config.access;
    const { valueBytesMax } = config.limits;
    const parts = {
      version,
      activity: () => measures.activity,
      access: () => this.#opened(),
      node: () => this.#node.served,
      audit,
      onNodeSeen: (address: string | undefined) => addressLimit.nodeAt(address),
      cluster,
      areRatesLimited: rates.isOn,
    };
    const clientUrl = (): string => this.#clientUrl;
    const services = [
      ...servedServices(limits, parts),
      ...etcdServices(limits, {
        ...parts,
        valueBytesMax,
        clientUrl,
        logins,
        mayOpenAccess: () => this.#safeStart?.mayOpen ?? false,
      }),
    ];
    const endpointByPath = rpcEndpoints({
      store,
      state,
      services,
      openReflection,
      meters: calls.meters,
      logger,
      cluster,
    });
    const metrics = new MetricsEndpoint({
      admit: (request) =>
        openMetrics || this.#life.access === undefined ? undefined : admitUser(logins, request),
      server: () =>
        measures.ofServer({
          version,
          isServing: state.isServing,
          droppedLogLines: droppedLogLines(),
          access: {
            loginCounts: audit.loginCounts,
            deniedCount: audit.deniedCount,
            passwords: this.#life.access?.logins.passwords.figures ?? NO_PASSWORDS,
          },
          certificateExpireTimeMs: this.#tlsRenewal?.expireTimeMs,
          spans: spanExport?.counts ?? { sentCount: 0, lostCount: 0 },
        }),
      store: () => this.#life.store && measures.ofStore(this.#life.store, this.#life.node),
    });
    const { requestBytesMax } = limits;
    const order = new RequestOrder();
    const restContext = { store, state, logins, order, calls, deadlines, limits, logger, cluster };
    const rest = restApi({ valueBytesMax, requestBytesMax, version }, restContext);
    const { volumeId } = config;
    const scripts = new Scripts(
      { volumeId, valueBytesMax, requestBytesMax, clock: systemClock, openMetrics },
      restContext,
    );
    this.#console = new ConsolePages(
      dependencies.consoleFolder,
      () => this.#bound !== undefined && isConsoleOn(config.console, this.#bound),
    );
    const handlers = requestHandlers({
      endpointByPath,
      order,
      logins,
      calls,
      state,
      metrics,
      rest,
      scripts,
      console: this.#console,
      limits,
      logger,
      cluster,
    });
    const lane = grpcLane(
      { store, state, logins, calls, deadlines, limits, logger, cluster },
      new Routes(services, calls.meters, (path) => endpointByPath.has(path)),
    );
    const { corsOrigins, listen } = config;
    const ownHosts = [hostname(), ...('host' in listen ? [listen.host] : [])];
    const guard = new WebGuard({ corsOrigins, ownHosts });
    const otherMeter = calls.meters.of('http', 'other');
    this.#listener = new Listener({
      pageRefusal: new PageRefusal(guard, logger, otherMeter),
      cors: new Cors(guard, corsOrigins, otherMeter),
      grpcLane: lane,
      calls,
      traffic: measures.traffic,
      addressLimit,
      deadlines,
      handlers,
      tls,
      limits,
      logger,
    });
    this.#redisListener =
      config.redis &&
      new RedisListener({
        tls: config.redis.hasTls ? tls : undefined,
        limits,
        addressLimit,
        traffic: measures.traffic,
        logins: this.#redisLogins,
        logger,
      });
    this.#tlsRenewal =
      tls &&
      config.tls &&
      new TlsRenewal({
        paths: config.tls,
        material: tls,
        use: (material) => {
          this.#listener.renewTls(material);
          this.#redisListener?.renewTls(material);
        },
        logger,
        clock: systemClock,
      });
  }

  get address(): string {
    return this.#address;
  }

  get redisAddress(): string {
    return this.#redisAddress;
  }

  get ready(): Promise<void> {
    return this.#ready;
  }

  async listen(): Promise<void> {
    const { listen, redis, tls } = this.#config;
    const { disk = nodeDisk } = this.#dependencies.storeOptions ?? {};
    const bound = await this.#listener.listen(listen).catch((error: Error) => {
      throw new ServerStartError(`can't listen on ${formatAddress(listen)}: ${error.message}`, {
        cause: error,
      });
    });
    this.#address = formatAddress(bound);
    this.#bound = bound;
    this.#clientUrl = urlOf(bound, { hasTls: tls !== undefined, hostName: hostname() });
    const bounds = [{ address: bound, hasTls: tls !== undefined }];
    if (redis !== undefined && this.#redisListener !== undefined) {
      const redisBound = await this.#redisListener.listen(redis.listen).catch((error: Error) => {
        this.#listener.destroy();
        const where = formatAddress(redis.listen);
        throw new ServerStartError(`can't listen on ${where} for Redis: ${error.message}`, { cause: error });
      });
      this.#redisAddress = formatAddress(redisBound);
      this.#redisBound = redisBound;
      bounds.push({ address: redisBound, hasTls: redis.hasTls });
    }
    this.#safeStart = new SafeStart(this.#config, bounds);
    try {
      await this.#safeStart.refuseEarly(disk);
    } catch (error) {
      this.#listener.destroy();
      this.#redisListener?.destroy();
      throw error;
    }
  }

  open(): void {
    this.#tlsRenewal?.start();
    this.#ready = this.#openStore();
    // A caller that waits for `ready` or stops the server hears of a failure; that may be a while from now.
    this.#ready.catch(() => undefined);
  }

  async #openStore(): Promise<void> {
    const { dataDir } = this.#config;
    const { logger, version } = this.#dependencies;
    logger.info({ address: this.#address, dataDir, version }, 'listening; recovering');
    try {
      await this.#life.begin();
    } catch (error) {
      this.#state.enter('stopping');
      this.#tlsRenewal?.stop();
      this.#listener.destroy();
      this.#redisListener?.destroy();
      throw error;
    }
  }

  /** The store is served. */
  #begin({ store, access, node }: Served): void {
    const { tls } = this.#config;
    access.table.onChange(() => this.#calls.lasting.askAgain());
    this.#serveRedis(store, node);
    this.#opener.tellReady(store, {
      address: this.#address,
      ...(this.#redisAddress === '' ? {} : { redisAddress: this.#redisAddress }),
      tls: tls !== undefined,
      ...(this.#console.isServed && { console: `${this.#clientUrl}${CONSOLE_PATH}` }),
    });
    if (node !== undefined) this.#node.watch(node);
  }

  /** The store of a node is about to be closed, and opened again. */
  async #withdraw(): Promise<void> {
    this.#node.unwatch();
    this.#calls.endStreamsOfStore(reopeningError());
    const redisClients = this.#redisListener?.withdraw();
    const grace = Promise.withResolvers<void>();
    const timer = systemClock.setTimer(clusterLimits.stopGraceMs, grace.resolve);
    await Promise.race([grace.promise, Promise.all([this.#calls.empty(), redisClients?.gone])]);
    timer.cancel();
    redisClients?.destroy();
    this.#calls.cutStalledStreams();
  }

  #serveRedis(store: KvStore, node: ClusterNode | undefined): void {
    const { clock = systemClock, random = systemRandom } = this.#dependencies.storeOptions ?? {};
    const { logger, version, shutDown = () => void this.stop() } = this.#dependencies;
    this.#redisListener?.serve(
      openRedis({
        store,
        clock,
        random,
        logins: this.#redisLogins,
        rates: this.#calls.rates,
        config: this.#config,
        address: this.#redisBound,
        eventClasses: this.#config.redis?.eventClasses ?? '',
        traffic: this.#measures.traffic,
        meter: this.#measures.redisMeter,
        version,
        cluster: node && this.#node.redis(node),
        userNames: () => this.#life.access?.table.userNames ?? [],
        users: new AclUsers(() => this.#opened(), this.#audit),
        snapshots: this.#measures.storeMeter,
        shutDown,
        onDefect: (command, error) =>
          logger.error({ err: error, command }, 'a Redis command failed unexpectedly'),
        onScriptLog: (level, text) => logger[scriptLogLevels[level]]({ text }, 'a script of Redis says'),
      }),
    );
  }

  renewTls(): Promise<void> | undefined {
    return this.#tlsRenewal?.renew();
  }

  #opened(): Access {
    const { access } = this.#life;
    if (access === undefined) throw recoveringError();
    return access;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const { logger } = this.#dependencies;
    const { shutdownTimeoutMs } = this.#config.serverLimits;
    const startMs = systemClock.monotonicMs();
    const deadline = Promise.withResolvers<'late'>();
    const timer = systemClock.setTimer(shutdownTimeoutMs, () => deadline.resolve('late'));
    // A stream that is not read can't be told, and would hold up the stop to the last.
    const cutter = cutRepeatedly(this.#calls);
    const hold = holdProcess();
    logger.info({ calls: this.#calls.size }, 'stopping');
    try {
      this.#state.enter('stopping');
      this.#listener.stopAccepting();
      this.#redisListener?.stopAccepting();
      this.#calls.endStreams();
      this.#life.stop();
      this.#node.unwatch();
      this.#node.stopWaiting();
      const handedOver = this.#life.handOver(this.#calls.empty());
      if ((await Promise.race([this.#calls.empty(), deadline.promise])) === 'late') {
        logger.warn(
          { calls: this.#calls.size, shutdownTimeoutMs },
          'calls did not finish in time; broken off',
        );
      }
      const drained = Promise.all([this.#listener.drained(), this.#redisListener?.drained()]);
      await Promise.race([drained, lingered(), deadline.promise]);
      this.#listener.destroy();
      this.#redisListener?.destroy();
      const leftMs = (): number => Math.max(0, shutdownTimeoutMs - (systemClock.monotonicMs() - startMs));
      await Promise.race([handedOver, deadline.promise]);
      // A recovery can't be broken off, but nothing is lost when the process ends in the middle of it.
      await this.#life.close(deadline.promise, () =>
        Math.max(0, Math.floor(leftMs() - serverFixed.closeReserveMs)),
      );
      await this.#spanExport?.stop(Math.min(serverFixed.spanFlushMsMax, leftMs()));
    } finally {
      timer.cancel();
      cutter.cancel();
      hold.cancel();
      this.#tlsRenewal?.stop();
      this.#node.close();
      this.#listener.destroy();
      this.#redisListener?.destroy();
    }
    logger.info('stopped');
  }

  abort(): void {
    this.#listener.destroy();
    this.#redisListener?.destroy();
  }
}

const scriptLogLevels = { debug: 'debug', verbose: 'debug', notice: 'info', warning: 'warn' } as const;

const NO_PASSWORDS = { begunCount: 0, runningCount: 0, waitingCount: 0 };

/** Rejects unless a request is of a user. */
async function admitUser(logins: Logins, { headers, socket }: HttpRequest): Promise<void> {
  logins.check(await logins.of(headers.authorization, socket), socket);
}

/** Resolves when connections have had the time to send their last bytes; a client that is gone takes none. */
function lingered(): Promise<void> {
  return new Promise((resolve) => systemClock.setTimer(serverFixed.connectionLingerMs, resolve));
}

/** Until it is cancelled. */
function cutRepeatedly(calls: CallTable): Timer {
  let timer: Timer;
  const arm = (): void => {
    timer = systemClock.setTimer(serverFixed.stalledStreamGraceMs, () => {
      calls.cutStalledStreams();
      arm();
    });
  };
  arm();
  return { cancel: () => timer.cancel() };
}

async function tlsMaterial(paths: NonNullable<ServerConfig['tls']>): Promise<TlsMaterial> {
  try {
    return checkTlsFiles(await readTlsFiles(paths));
  } catch (error) {
    throw new ServerStartError((error as Error).message, { cause: error });
  }
}

/** The SDK of OpenTelemetry is loaded by those who want it. */
async function startExport(
  otlp: NonNullable<ServerConfig['otlp']>,
  { logger, version }: ServerDependencies,
): Promise<SpanExport> {
  const { exportSpans } = await import('./tracing/span-export.ts');
  return exportSpans({ ...otlp, logger, version });
}
