/**
 * A simulated machine that serves: the whole server, on a simulated disk, network, clock and scheduler, in one thread with its
 * clients. Servers come and go, the disk stays. A server that is killed goes on as a ghost that nothing leads out of: its
 * disk refuses it, and its connections are cut.
 */
import { openStore } from '../../src/kv/open-store.ts';
import type { Store } from '../../src/api.ts';
import { createClient, type KelpClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import type { Pace } from '../../src/client/calls/pace.ts';
import { loadConfig, type ServerConfig } from '../../src/server/config/config.ts';
import { createLogger } from '../../src/server/logging/logger.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';
import { HeapEngine } from '../engine/contract/heap-engine.ts';
import { Scheduler } from '../simulation/scheduler.ts';
import { simulateCompression } from '../simulation/simulated-compression.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { engineOfTests, limitsOfEngine } from '../support/test-engine.ts';
import { SimulatedNetwork, simulateNetwork } from './simulated-network.ts';
import { simulateTimeAndChance } from './simulated-time-and-chance.ts';

const DATA_DIR = '/data';
const PATH = '/kelp.sock';
/** What is served keeps its keys in plain maps, or in the files of the engine of the tests. */
const ENGINE = engineOfTests();
/** Enough for anything that has an end. */
const STEPS_MAX = 400_000;

const baseConfig = await loadConfig({
  flags: {
    listen: `unix:${PATH}`,
    'data-dir': DATA_DIR,
    fsync: 'always',
    'memory-limit': '1GiB',
    ...(ENGINE && { engine: ENGINE }),
  },
});

const engineParts = ENGINE === undefined ? { makeEngine: () => new HeapEngine() } : { engine: ENGINE };

export interface ServedOptions {
  readonly seed: number;
  readonly serverLimits?: Partial<ServerConfig['serverLimits']>;
  readonly limits?: Partial<ServerConfig['limits']>;
}

export type ServerEnd = 'endProcess' | 'losePower' | 'stop';

export class ServedMachine {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly network: SimulatedNetwork;
  readonly #config: ServerConfig;
  #disk: SimulatedDisk;
  #server: { readonly running: RunningServer; readonly stopped: Promise<unknown>[] } | undefined;
  /** Of servers that were told to stop, and killed before they had. */
  readonly #ghosts: Promise<unknown>[] = [];
  /** What servers logged as an error while they lived. */
  readonly errors: string[] = [];
  #life = 0;

  private constructor({ seed, serverLimits, limits }: ServedOptions) {
    this.random = new SeededRandom(seed);
    this.scheduler = new Scheduler(this.random);
    const { schedule } = this.scheduler;
    this.network = new SimulatedNetwork(this.random, schedule);
    this.#disk = new SimulatedDisk({ seed, schedule });
    this.#config = {
      ...baseConfig,
      // Small, so that servers end while segments are made, too.
      limits: { ...baseConfig.limits, ...limitsOfEngine(), segmentBytes: 4096, ...limits },
      serverLimits: { ...baseConfig.serverLimits, ...serverLimits },
    };
  }

  /** Runs something on a machine, which has the thread's clock and network until it is over. */
  static async run<Result>(
    options: ServedOptions,
    work: (machine: ServedMachine) => Promise<Result>,
  ): Promise<Result> {
    const machine = new ServedMachine(options);
    const { schedule } = machine.scheduler;
    const restores = [
      simulateTimeAndChance(machine.scheduler, machine.random),
      simulateNetwork(machine.network, schedule),
      simulateCompression(schedule),
    ];
    try {
      return await work(machine);
    } finally {
      for (const restore of restores) restore();
    }
  }

  /** Starts a server, and waits until it is ready. */
  async start(): Promise<void> {
    const life = ++this.#life;
    const logger = createLogger(
      { level: 'error', format: 'json' },
      { write: (line) => void (life === this.#life && this.errors.push(line)) },
    );
    const starting = startServer(this.#config, {
      logger,
      version: '0.0.0-test',
      storeOptions: {
        clock: this.scheduler,
        random: this.random,
        disk: this.#disk,
        ...engineParts,
      },
    });
    const running = await this.until(starting);
    this.#server = { running, stopped: [] };
    await this.until(running.ready);
  }

  /** Asks the server to stop. Resolves when it has. */
  stop(): Promise<void> {
    const stopped = this.#server?.running.stop() ?? Promise.resolve();
    this.#server?.stopped.push(stopped);
    // It fails when the server is killed meanwhile.
    stopped.catch(() => undefined);
    return stopped;
  }

  kill(how: 'endProcess' | 'losePower'): void {
    this.#life++;
    this.network.endProcess();
    this.#disk = this.#disk[how]();
    this.#server?.running.abort();
    this.#ghosts.push(...(this.#server?.stopped ?? []));
    this.#server = undefined;
  }

  /** Opens what the last server has left, in process. */
  open(): Promise<Store> {
    const { limits, fsync } = this.#config;
    return this.until(
      openStore({
        dataDir: DATA_DIR,
        fsync,
        limits,
        disk: this.#disk,
        clock: this.scheduler,
        random: this.random,
        ...engineParts,
      }),
    );
  }

  client(options: Omit<ClientOptions, 'address'> = {}): KelpClient {
    return createClient({ address: `unix:${PATH}`, ...options }, this.#pace());
  }

  /** Steps until the promise is settled. */
  async until<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    const settled = (): void => void (isSettled = true);
    promise.then(settled, settled);
    await this.stepUntil(() => isSettled);
    return promise;
  }

  /** Steps until `isDone`; fails when that does not come. */
  async stepUntil(isDone: () => boolean): Promise<void> {
    const endsAt = this.scheduler.stepCount + STEPS_MAX;
    await this.scheduler.runUntil(() => {
      if (this.scheduler.stepCount > endsAt) throw new Error(`not done within ${STEPS_MAX} steps`);
      return isDone();
    });
  }

  /** What is under way when all clients are closed runs dry, so that the next machine of this thread finds nothing of it. */
  async end(): Promise<void> {
    await this.until(Promise.allSettled(this.#ghosts));
    await this.stepUntil(() => this.scheduler.isIdle);
  }

  #pace(): Pace {
    const { scheduler, random } = this;
    return {
      monotonicMs: () => scheduler.monotonicMs(),
      random: () => random.uint32() / 2 ** 32,
      wait: (delayMs, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted === true) return resolve();
          const timer = scheduler.setTimer(delayMs, resolve);
          signal?.addEventListener('abort', () => {
            timer.cancel();
            resolve();
          });
        }),
    };
  }
}
