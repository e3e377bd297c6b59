/** When a follower takes the place of its writer: by what the shared log answers alone, and with all of it accepted. */
import { describe, expect, it } from 'vitest';
import { Election } from '../../../src/cluster/follower/election.ts';
import type { LogHead, SharedLog } from '../../../src/shared-log/shared-log.ts';
import { SharedLogError } from '../../../src/shared-log/shared-log-error.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const PATIENCE_MS = 1000;
const STEP_MS = 250;

/** A follower whose log answers as a test says, and which has a writer that is silent. */
class Following {
  /** Whether the log tells its head now. */
  answers: () => boolean = () => true;
  acceptedPosition = 5;
  silentCount = 0;
  found: LogHead | undefined;
  readonly #clock = new ManualClock();
  readonly #head: LogHead = {
    storeId: new Uint8Array(16),
    epoch: 1,
    position: 5,
    checksum: 5,
    logBytes: 500,
    nonce: 'a',
  };

  constructor() {
    const election = new Election({
      sharedLog: { head: () => this.#answer() } as unknown as SharedLog,
      clock: this.#clock,
      random: { bytes: (count) => new Uint8Array(count) },
      failoverAfterMs: PATIENCE_MS,
      hasAccepted: (position) => position === this.acceptedPosition,
      isVacant: () => false,
      onHead: () => undefined,
      onSilent: () => this.silentCount++,
    });
    void election.vacancy(new AbortController().signal).then((head) => (this.found = head));
  }

  async steps(count: number): Promise<void> {
    for (let step = 0; step < count; step++) await this.#clock.pass(STEP_MS);
  }

  async #answer(): Promise<LogHead> {
    if (this.answers()) return this.#head;
    throw new SharedLogError('refused', 'the token of this node is not known');
  }
}

describe('a follower', () => {
  it('takes over when the log has told of nothing new for long enough', async () => {
    const following = new Following();
    await following.steps(3);
    expect(following.found).toBeUndefined();
    await following.steps(2);
    expect(following.found).toMatchObject({ position: 5 });
  });

  it('counts no silence from before an answer that the log did not give, however soon the next one comes', async () => {
    const following = new Following();
    let asked = 0;
    following.answers = () => ++asked % 4 !== 0;
    await following.steps(40);
    expect(following.silentCount).toBeGreaterThan(8);
    expect(following.found).toBeUndefined();
    following.answers = () => true;
    await following.steps(6);
    expect(following.found).toBeDefined();
  });

  it('takes over nothing that it has not accepted whole', async () => {
    const following = new Following();
    following.acceptedPosition = 4;
    await following.steps(20);
    expect(following.found).toBeUndefined();
    following.acceptedPosition = 5;
    await following.steps(1);
    expect(following.found).toBeDefined();
  });
});
