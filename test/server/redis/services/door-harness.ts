/** Commands about sessions and the server, over a store in memory, with sessions that keep what they are sent. */
import { onTestFinished } from 'vitest';
import { Access } from '../../../../src/access/access.ts';
import { noLogin } from '../../../../src/access/login/login.ts';
import { allRights, type Rights } from '../../../../src/access/rights/rights.ts';
import { AclUsers } from '../../../../src/server/redis/acl/acl-users.ts';
import { DoorServices } from '../../../../src/server/redis/door-services.ts';
import type { AccessAudit } from '../../../../src/server/access/audit.ts';
import { RunningCall } from '../../../../src/server/redis/commands/running-call.ts';
import type { ClusterFacts, ServerFacts } from '../../../../src/server/redis/commands/server-facts.ts';
import type {
  ClientOption,
  ClientSession,
  ClientSessions,
  TransactionControl,
} from '../../../../src/server/redis/commands/session-command.ts';
import type { SessionTracking } from '../../../../src/server/redis/commands/session-tracking.ts';
import { CommandTable } from '../../../../src/server/redis/commands/table.ts';
import type { CommandHooks } from '../../../../src/server/redis/connection/connection-context.ts';
import { CursorRing } from '../../../../src/server/redis/cursors/cursor-ring.ts';
import { PlacedArguments } from '../../../../src/server/redis/protocol/placed-arguments.ts';
import { ReplyWriter } from '../../../../src/server/redis/protocol/reply-writer.ts';
import { ReplyError } from '../../../../src/server/redis/replies/errors.ts';
import { SeededRandom } from '../../../support/random.ts';
import { SeamHarness } from '../../../store/seam/seam-harness.ts';
import { ReplyReader, decodeReply, showReply } from '../support/decoded-reply.ts';
import { toBytes, type Word } from '../support/words.ts';

export class TestSession implements ClientSession {
  readonly id: number;
  name = '';
  readonly address: string;
  readonly localAddress = '127.0.0.1:6379';
  database = 0;
  protocolVersion: 2 | 3 = 2;
  readonly isLoggedIn = true;
  mayReadAllKeys = true;
  readonly userName = 'default';
  replyMode: 'on' | 'off' | 'skip' = 'on';
  readonly options = new Set<ClientOption>();
  libraryName = '';
  libraryVersion = '';
  readonly subscriptionCounts = { channels: 0, patterns: 0, shardChannels: 0 };
  tracking: SessionTracking | undefined;
  isMonitor = false;
  readonly isInCluster = false;
  isReadOnly = false;
  readonly serverRole = 'master';
  isInTransaction = false;
  readonly isInScript = false;
  readonly figures = {
    connectedAtMs: 0,
    lastCommandAtMs: 0,
    lastCommand: '',
    queryBytes: 0,
    outputBytes: 0,
  };
  readonly queuedCount = -1;
  readonly watchedCount = 0;
  isBlocked = false;
  killed: 'now' | 'afterReply' | undefined;
  readonly #onClose: (() => void)[] = [];
  readonly #reader = new ReplyReader();

  constructor(id: number) {
    this.id = id;
    this.address = `127.0.0.1:${50_000 + id}`;
  }

  push(bytes: Uint8Array): void {
    this.#reader.add(Buffer.from(bytes).toString('latin1'));
  }

  /** What was pushed since this was asked last. */
  pushed(): string[] {
    const shown: string[] = [];
    for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next())
      shown.push(showReply(next.reply));
    return shown;
  }

  kill(when: 'now' | 'afterReply'): void {
    this.killed = when;
    for (const run of this.#onClose.splice(0)) run();
  }

  seesCommitted(): void {
    // It reads nothing.
  }

  unblock(): boolean {
    return this.isBlocked;
  }

  onClose(run: () => void): void {
    this.#onClose.push(run);
  }

  passedOnFor(): Promise<void> {
    return Promise.resolve();
  }

  rights(): Rights {
    return allRights;
  }

  readonly caller = { login: noLogin, client: undefined };

  denied(): void {
    throw new Error('not in these tests');
  }

  logIn(): void {
    throw new Error('not in these tests');
  }

  get transaction(): TransactionControl {
    throw new Error('not in these tests');
  }

  reset(): void {
    this.isMonitor = false;
  }
}

const noAudit: AccessAudit = { accessChanged: () => undefined, adminCalled: () => undefined };

class TestSessions implements ClientSessions {
  readonly sessions: TestSession[] = [];
  readonly pauses: string[] = [];
  table = new CommandTable([]);

  get all(): Iterable<TestSession> {
    return this.sessions.filter(({ killed }) => killed === undefined);
  }

  get count(): number {
    return [...this.all].length;
  }

  byId(id: number): ClientSession | undefined {
    return this.sessions.find((session) => session.id === id);
  }

  idleTimeoutSeconds = 0;

  pause(untilMs: number, what: 'writes' | 'all'): void {
    this.pauses.push(`${what} until ${untilMs}`);
  }
}

export class DoorHarness {
  readonly seam: SeamHarness;
  readonly connections = new TestSessions();
  readonly services: DoorServices;
  readonly hooks: CommandHooks = { ran: undefined, ended: undefined, events: undefined };
  cluster: ClusterFacts | undefined;
  snapshotCount = 0;
  isShutDown = false;
  /** What scripts have logged. */
  readonly scriptLines: string[] = [];
  /** That each command takes. */
  durationMs = 0.5;

  private constructor(seam: SeamHarness) {
    this.seam = seam;
    const { clock } = seam;
    const access = new Access({ store: seam.calls, clock, random: new SeededRandom(2) });
    this.services = new DoorServices({
      seam: seam.store,
      clock: seam.clock,
      random: new SeededRandom(1),
      server: this.#server(),
      users: new AclUsers(() => access, noAudit),
      eventClasses: 0,
      connections: () => this.connections,
      onDefect: (_, error) => {
        throw error;
      },
      onScriptLog: (level, text) => void this.scriptLines.push(`${level} ${text}`),
    });
    this.services.watch(this.hooks);
    this.connections.table = new CommandTable(this.services.rows);
  }

  /** For one test. */
  static async open(): Promise<DoorHarness> {
    const seam = await SeamHarness.open();
    const harness = new DoorHarness(seam);
    onTestFinished(() => harness.services.stop());
    return harness;
  }

  session(version: 2 | 3 = 2): TestSession {
    const session = new TestSession(this.connections.sessions.length + 1);
    session.protocolVersion = version;
    this.connections.sessions.push(session);
    return session;
  }

  /** The replies of a call, as tests show them; several where a command gives several. */
  async run(session: TestSession, ...words: readonly Word[]): Promise<string[]> {
    const raw = await this.raw(session, ...words);
    const reader = new ReplyReader();
    reader.add(raw);
    const replies: string[] = [];
    for (let next = reader.next(); next !== undefined; next = reader.next())
      replies.push(showReply(next.reply));
    return replies;
  }

  async raw(session: TestSession, ...words: readonly Word[]): Promise<string> {
    const args = new PlacedArguments();
    args.takeWords(words.map(toBytes));
    const reply = new ReplyWriter();
    reply.version = session.protocolVersion;
    const call = new RunningCall(args, reply, session, new CursorRing(0));
    const row = this.connections.table.find(args);
    try {
      if (row instanceof ReplyError) throw row;
      this.services.stats.ran(row.name);
      if ('session' in row) await row.session(session, call);
      else if ('newest' in row) this.seam.store.decide((view) => void row.newest(view, call));
      this.hooks.ran?.(session, row, args);
      this.hooks.ended?.(session, row, args, this.durationMs);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      if (row instanceof ReplyError) this.services.stats.refused(error.message, undefined);
      else this.services.stats.failed(error.message, row.name);
      return `-${error.message}\r\n`;
    }
    return reply.take().toString('latin1');
  }

  /** As one reply. */
  async decoded(session: TestSession, ...words: readonly Word[]): Promise<string> {
    return showReply(decodeReply(await this.raw(session, ...words)));
  }

  #server(): ServerFacts {
    const { calls, clock } = this.seam;
    const { store } = this.seam;
    const cluster = (): ClusterFacts | undefined => this.cluster;
    return {
      version: '1.2.3',
      runId: 'ab'.repeat(20),
      port: 6379,
      dataDir: '/data',
      startedAtMs: clock.nowMs(),
      fsync: 'always',
      engine: 'memory',
      memoryPolicy: 'noeviction',
      valueBytesMax: 16 * 1024 * 1024,
      connectionsMax: 10_000,
      memoryBytesMax: 1024 * 1024 * 1024,
      hasFailed: false,
      status: () => store.status(),
      get cluster() {
        return cluster();
      },
      figures: () => calls.figures(),
      keyCounts: () => [{ database: 0, keyCount: store.status().keyCount, expiringCount: 0, meanTtlMs: 0 }],
      traffic: () => ({ openedCount: 3, refusedCount: 0, receivedBytes: 100, sentBytes: 200 }),
      lastSnapshotMs: 0,
      hasSnapshotFailed: false,
      snapshot: () => {
        this.snapshotCount++;
        return store.snapshot();
      },
      shutDown: () => {
        this.isShutDown = true;
      },
      userNames: () => ['ada'],
    };
  }
}
