/**
 * The Redis door without sockets: connections whose wires are arrays, over a store in memory whose flushes a test may hold and whose
 * clock stands still.
 */
import { onTestFinished } from 'vitest';
import type { Login } from '../../../../src/access/login/login.ts';
import { allRights } from '../../../../src/access/rights/rights.ts';
import { serverDefaults } from '../../../../src/limits.ts';
import type { RateMaxima } from '../../../../src/server/limits/rate.ts';
import { RateLimits } from '../../../../src/server/limits/rate-limits.ts';
import { type TableRow } from '../../../../src/server/redis/commands/table.ts';
import type { Connection } from '../../../../src/server/redis/connection/connection.ts';
import type { LoginGate, Wire } from '../../../../src/server/redis/connection/connection-context.ts';
import { RedisDoor } from '../../../../src/server/redis/redis-door.ts';
import { sessionRows } from '../../../../src/server/redis/redis-rows.ts';
import { SeamHarness, type SeamHarnessOptions } from '../../../store/seam/seam-harness.ts';
import { type DecodedReply, ReplyReader } from './decoded-reply.ts';
import { toRequest, type Word } from './words.ts';

const anonymous: Login = { userName: '', expireTimeMs: 0, rights: allRights };
const openLogins: LoginGate = {
  first: () => anonymous,
  logIn: () => anonymous,
  denied: () => undefined,
};

export interface DoorHarnessOptions extends SeamHarnessOptions {
  /** Beside those about connections and transactions. */
  readonly rows: readonly TableRow[];
  readonly logins?: LoginGate;
  readonly valueBytesMax?: number;
  readonly rates?: RateMaxima;
}

export class DoorHarness {
  readonly seam: SeamHarness;
  readonly door: RedisDoor;
  readonly defects: unknown[] = [];
  readonly #logins: LoginGate;

  private constructor(seam: SeamHarness, options: DoorHarnessOptions) {
    this.seam = seam;
    this.#logins = options.logins ?? openLogins;
    this.door = new RedisDoor({
      store: seam.store,
      clock: seam.clock,
      rows: [...sessionRows, ...options.rows],
      logins: this.#logins,
      meter: {
        ran: () => undefined,
        failed: () => undefined,
        refused: () => undefined,
        defect: (_, error) => void this.defects.push(error),
      },
      valueBytesMax: options.valueBytesMax ?? 1024 * 1024,
      patience: serverDefaults,
      rates: options.rates && new RateLimits(options.rates, seam.clock),
      cursorSeed: 0,
    });
  }

  /** For one test. */
  static async open(options: DoorHarnessOptions): Promise<DoorHarness> {
    const seam = await SeamHarness.openShared(options);
    const harness = new DoorHarness(seam, options);
    onTestFinished(async () => {
      harness.door.destroy();
      seam.flushes.release();
      await seam.close();
    });
    return harness;
  }

  connect(): TestClient {
    const wire = new TestWire();
    const login = this.#logins.first(wire);
    if (login instanceof Promise) throw new Error('a first login that takes time');
    const client = new TestClient(wire);
    client.connection = this.door.accept(
      wire,
      { address: '127.0.0.1:1', localAddress: '127.0.0.1:2' },
      login,
    );
    return client;
  }

  /** Waits until nothing happens by itself. */
  async settled(): Promise<void> {
    await this.seam.clock.settled();
    await this.seam.durable().catch(() => undefined);
    await this.seam.clock.settled();
  }
}

class TestWire implements Wire {
  readonly written: Buffer[] = [];
  /** Whether the client takes what is sent. */
  isRead = true;
  isPaused = false;
  isEnded = false;
  isDestroyed = false;
  writableLength = 0;

  write(bytes: Uint8Array): boolean {
    this.written.push(Buffer.from(bytes));
    if (this.isRead) return true;
    this.writableLength += bytes.length;
    return false;
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}

export class TestClient {
  readonly wire: TestWire;
  connection!: Connection;
  readonly #reader = new ReplyReader();

  constructor(wire: TestWire) {
    this.wire = wire;
  }

  send(...words: readonly Word[]): void {
    this.connection.receive(toRequest(words));
  }

  /** In one piece. */
  pipeline(...calls: readonly (readonly Word[])[]): void {
    this.connection.receive(Buffer.concat(calls.map(toRequest)));
  }

  sendText(text: string): void {
    this.connection.receive(Buffer.from(text, 'latin1'));
  }

  /** What has come since this was asked last, as text. */
  raw(): string {
    return Buffer.concat(this.wire.written.splice(0)).toString('latin1');
  }

  /** The same as replies. */
  replies(): DecodedReply[] {
    this.#reader.add(this.raw());
    const replies: DecodedReply[] = [];
    for (let next = this.#reader.next(); next !== undefined; next = this.#reader.next())
      replies.push(next.reply);
    return replies;
  }

  /** The client reads on. */
  drain(): void {
    this.wire.isRead = true;
    this.wire.writableLength = 0;
    this.connection.drained();
  }
}
