/**
 * A node of a cluster as clients of Redis see one: a listener on a free port over a store of its own, with a cluster that a test says
 * all about. Each node has other keys, so that a reply tells which node has made it.
 */
import { onTestFinished } from 'vitest';
import { type Clock, systemClock, systemRandom } from '../../../../src/clock.ts';
import type { ClusterView, Role } from '../../../../src/cluster/cluster-view.ts';
import { Access } from '../../../../src/access/access.ts';
import { allRights } from '../../../../src/access/rights/rights.ts';
import type { Login } from '../../../../src/access/login/login.ts';
import { StoreError } from '../../../../src/errors.ts';
import { openUncheckedStore } from '../../../../src/kv/open-store.ts';
import type { KvStore } from '../../../../src/kv/kv-store.ts';
import { loadConfig } from '../../../../src/server/config/config.ts';
import { formatAddress } from '../../../../src/server/config/option-values.ts';
import { AddressLimit } from '../../../../src/server/limits/address-limit.ts';
import { createLogger } from '../../../../src/server/logging/logger.ts';
import { Traffic } from '../../../../src/server/metrics/calls/traffic.ts';
import { NodeMeter } from '../../../../src/server/metrics/cluster/node-meter.ts';
import { RedisMeter } from '../../../../src/server/metrics/redis/redis-meter.ts';
import { AclUsers } from '../../../../src/server/redis/acl/acl-users.ts';
import type { LoginGate } from '../../../../src/server/redis/connection/connection-context.ts';
import { openRedis } from '../../../../src/server/redis/open-redis.ts';
import { RedisListener } from '../../../../src/server/redis/redis-listener.ts';
import type { RedisDoor } from '../../../../src/server/redis/redis-door.ts';
import { noAuth, wrongPassword } from '../../../../src/server/redis/replies/errors.ts';
import { readTlsFiles } from '../../../../src/server/tls/tls-files.ts';
import { checkTlsFiles } from '../../../../src/server/tls/tls-material.ts';
import { temporaryDirectory, TestLog } from '../../../support/test-server.ts';
import { RedisClient } from '../support/redis-client.ts';

/** By which a node shows what it is, where a password is asked for. */
export const NODE_TOKEN = 'a token of nodes';

/** What a test says of the cluster. */
export class TestView implements ClusterView {
  readonly isReadOnly = false;
  role: Role;
  readonly writerAddress = '';
  writerRedisAddress = '';
  /** The questions that were asked. */
  barrierCount = 0;
  /** Set: they are answered by `answer` alone. */
  isHeld = false;
  #held: PromiseWithResolvers<void>[] = [];
  #wake = (): void => undefined;

  constructor(role: Role) {
    this.role = role;
  }

  readBarrier(): Promise<void> {
    this.barrierCount++;
    if (!this.isHeld) return Promise.resolve();
    const asked = Promise.withResolvers<void>();
    this.#held.push(asked);
    this.#wake();
    return asked.promise;
  }

  reached(): Promise<void> {
    return Promise.resolve();
  }

  /** Waits until a question is held. */
  async asked(): Promise<void> {
    while (this.#held.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  answer(): void {
    for (const asked of this.#held.splice(0)) asked.resolve();
  }

  fail(): void {
    for (const asked of this.#held.splice(0)) asked.reject(new StoreError('closed', 'the log is gone'));
  }
}

export interface TestNodeOptions {
  /** `undefined`: the store is alone. */
  readonly role: Role | undefined;
  /** Of the user `ada`; left out: nothing is asked for. */
  readonly password?: string;
  readonly hasTls?: boolean;
  readonly clock?: Clock;
  readonly followerCount?: number;
  /** That it shows to the writer. */
  readonly token?: string;
  /** Left out: longer than any test. */
  readonly writerWaitMs?: number;
}

const tlsPaths = {
  certPath: 'test/support/tls/cert.pem',
  keyPath: 'test/support/tls/key.pem',
  clientCaPath: undefined,
};

export class TestNode {
  readonly view: TestView;
  readonly address: string;
  readonly store: KvStore;
  readonly door: RedisDoor;
  readonly listener: RedisListener;
  /** The writers that were not reached. */
  readonly unreached: string[];
  readonly meter: NodeMeter;
  readonly #ca: Buffer | undefined;

  private constructor(
    parts: Pick<TestNode, 'view' | 'address' | 'store' | 'door' | 'listener' | 'unreached' | 'meter'>,
    ca: Buffer | undefined,
  ) {
    this.view = parts.view;
    this.address = parts.address;
    this.store = parts.store;
    this.door = parts.door;
    this.listener = parts.listener;
    this.unreached = parts.unreached;
    this.meter = parts.meter;
    this.#ca = ca;
  }

  /** For one test. */
  static async start(options: TestNodeOptions): Promise<TestNode> {
    const {
      role,
      password,
      hasTls = false,
      clock = systemClock,
      followerCount = 0,
      writerWaitMs = 60_000,
      token,
    } = options;
    const dataDir = await temporaryDirectory();
    const config = await loadConfig({ flags: { 'data-dir': dataDir, fsync: 'never' } });
    const store = await openUncheckedStore({ dataDir, fsync: 'never' });
    const view = new TestView(role ?? 'writer');
    const unreached: string[] = [];
    const meter = new NodeMeter();
    const traffic = new Traffic();
    const logins = loginsOf(password);
    const tls = hasTls ? checkTlsFiles(await readTlsFiles(tlsPaths)) : undefined;
    const ca = tls?.cert;
    const listener = new RedisListener({
      tls,
      limits: config.serverLimits,
      addressLimit: new AddressLimit(1000),
      traffic,
      logins,
      logger: createLogger({ level: 'error', format: 'json' }, new TestLog()),
    });
    const address = formatAddress(await listener.listen({ host: '127.0.0.1', port: 0 }));
    const access = new Access({ store, clock, random: systemRandom });
    const door = openRedis({
      store,
      clock,
      random: systemRandom,
      logins,
      rates: undefined,
      config,
      cluster:
        role === undefined
          ? undefined
          : {
              view,
              writerTls: () => (hasTls ? { ca } : undefined),
              token,
              meter,
              followerCount: () => followerCount,
              writerWaitMs,
              onUnreachable: (writer) => void unreached.push(writer),
            },
      address: undefined,
      eventClasses: '',
      traffic,
      meter: new RedisMeter(),
      version: '0.0.0-test',
      userNames: () => [],
      users: new AclUsers(() => access, { accessChanged: () => undefined, adminCalled: () => undefined }),
      snapshots: { lastSnapshotMs: 0, hasSnapshotFailed: false },
      shutDown: () => undefined,
      onDefect: (command, error) => {
        throw new Error(`${command} failed`, { cause: error });
      },
      onScriptLog: () => undefined,
    });
    listener.serve(door);
    onTestFinished(async () => {
      listener.destroy();
      await store.close({ snapshotMsMax: 0 });
    });
    return new TestNode({ view, address, store, door, listener, unreached, meter }, ca);
  }

  connect(): Promise<RedisClient> {
    return RedisClient.open(this.address, this.#ca === undefined ? {} : { ca: this.#ca });
  }
}

/** A writer, and a follower that knows it. */
export async function startPair(
  options: Omit<TestNodeOptions, 'role'> = {},
): Promise<{ readonly writer: TestNode; readonly follower: TestNode }> {
  const writer = await TestNode.start({ ...options, role: 'writer' });
  const follower = await TestNode.start({ ...options, role: 'follower' });
  follower.view.writerRedisAddress = writer.address;
  return { writer, follower };
}

function loginsOf(password: string | undefined): LoginGate {
  const anonymous: Login = {
    userName: '',
    expireTimeMs: 0,
    rights: allRights,
  };
  const stranger: Login = {
    userName: '',
    expireTimeMs: 0,
    get rights(): never {
      throw noAuth();
    },
  };
  const node: Login = { userName: 'node', expireTimeMs: 0, rights: allRights };
  const ada: Login = { userName: 'ada', expireTimeMs: 0, rights: allRights };
  return {
    first: () => (password === undefined ? anonymous : stranger),
    logIn: async (_, userName, shown) => {
      await Promise.resolve();
      if (shown === NODE_TOKEN && password !== undefined) return node;
      if (userName !== 'ada' || shown !== password) throw wrongPassword();
      return ada;
    },
    denied: () => undefined,
  };
}
