/** Connections that cache, without sockets, over a store whose flushes a test may hold. */
import { trackingCommands } from '../../../../src/server/redis/commands/families/connection/tracking.ts';
import { type Door, withDoor } from '../../../../src/server/redis/commands/door.ts';
import { redisRows, sessionRows } from '../../../../src/server/redis/redis-rows.ts';
import { Tracking } from '../../../../src/server/redis/tracking/tracking.ts';
import { DoorHarness, type DoorHarnessOptions, type TestClient } from '../support/door-harness.ts';
import type { Word } from '../support/words.ts';
import { namesOf } from './tracked-clients.ts';

export class TrackingHarness {
  readonly door: DoorHarness;
  readonly tracking: Tracking;

  private constructor(door: DoorHarness, tracking: Tracking) {
    this.door = door;
    this.tracking = tracking;
  }

  /** For one test. */
  static async open(options: Omit<DoorHarnessOptions, 'rows'> = {}): Promise<TrackingHarness> {
    const opened: { harness?: TrackingHarness } = {};
    const harness = (): TrackingHarness => {
      if (opened.harness === undefined) throw new Error('the door is not open');
      return opened.harness;
    };
    const parts: Pick<Door, 'sessions' | 'tracking'> = {
      get sessions() {
        return harness().door.door;
      },
      get tracking() {
        return harness().tracking;
      },
    };
    const own = new Set(sessionRows);
    const door = await DoorHarness.open({
      ...options,
      rows: [...redisRows.filter((row) => !own.has(row)), ...withDoor(trackingCommands, parts as Door)],
    });
    const { seam } = door;
    const tracking = new Tracking({ seam: seam.store, clock: seam.clock, sessions: () => door.door });
    opened.harness = new TrackingHarness(door, tracking);
    return opened.harness;
  }

  /** In RESP3, with what it says of tracking. */
  async connect(...words: readonly Word[]): Promise<TestClient> {
    const client = this.door.connect();
    client.send('HELLO', '3');
    client.send('CLIENT', 'TRACKING', 'ON', ...words);
    await this.door.settled();
    client.raw();
    return client;
  }

  /** What has come to a client: replies and, in their place among them, the names of keys that it is told of. */
  come(client: TestClient): unknown[] {
    return client.replies().map((reply) => {
      const names = namesOf(reply);
      return names === undefined ? reply : `told ${names.join(' ')}`;
    });
  }

  /** By other doors. */
  async put(...keys: readonly string[]): Promise<void> {
    await this.door.seam.decide((view) => {
      for (const key of keys) view.put(Buffer.from(key), Buffer.from('v'));
    });
    await this.door.settled();
  }
}
