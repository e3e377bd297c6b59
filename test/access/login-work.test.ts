/**
 * What a login takes tells nothing of who is a user: scrypt runs as often, and as costly, for a name that there is not as for a wrong
 * password. Runs are counted, no time is taken.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Access } from '../../src/access/access.ts';
import * as records from '../../src/access/records/access-records.ts';
import type { Clock } from '../../src/clock.ts';
import { StoreError } from '../../src/errors.ts';
import { openUncheckedStore } from '../../src/kv/open-store.ts';
import { fixed } from '../../src/limits.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SeededRandom } from '../support/random.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';

const COST = 4;
const runs: crypto.ScryptOptions[] = [];

// Also for modules that other files of the process have loaded before.
beforeAll(() => {
  const { scrypt } = crypto;
  vi.spyOn(crypto, 'scrypt').mockImplementation((...given: Parameters<typeof scrypt>) => {
    runs.push(given[3]);
    scrypt(...given);
  });
  syncBuiltinESMExports();
});

afterAll(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

interface Tried {
  /** How it ended: as its client learns. */
  readonly outcome: string;
  /** The costs of what scrypt ran for. */
  readonly costs: readonly (number | undefined)[];
  /** What the answer waited for. */
  readonly delaysMs: readonly number[];
}

/** Tries to log in. */
type TryLogin = (userName: string, password: string) => Promise<Tried>;

async function opened(): Promise<{ readonly access: Access; readonly tryLogin: TryLogin }> {
  const manual = new ManualClock();
  let delaysMs: number[] = [];
  const impatient: Clock = {
    nowMs: () => manual.nowMs(),
    monotonicMs: () => manual.monotonicMs(),
    yieldNow: (callback) => manual.yieldNow(callback),
    setTimer(delayMs, callback) {
      delaysMs.push(delayMs);
      queueMicrotask(callback);
      return { cancel: () => undefined };
    },
  };
  const random = new SeededRandom(1);
  const store = await openUncheckedStore({
    dataDir: '/data',
    disk: new SimulatedDisk({ seed: 1 }),
    clock: manual,
    random,
  });
  onTestFinished(() => store.close());
  const access = new Access({ store, clock: impatient, random, passwordCost: COST });
  const password = await access.logins.passwords.hash('word');
  await access.change((draft) => {
    records.createUser(draft, 'ann', { password, roles: [], nowMs: 1 });
    records.createUser(draft, 'job', { password: undefined, roles: [], nowMs: 1 });
  });
  const tryLogin: TryLogin = async (userName, given) => {
    runs.length = 0;
    delaysMs = [];
    const outcome = await Promise.resolve(
      access.logins.login({ kind: 'password', userName, password: given }),
    ).then(
      () => 'accepted',
      (error: unknown) => (error instanceof StoreError ? `${error.code}: ${error.message}` : String(error)),
    );
    return { outcome, costs: runs.map(({ N }) => N), delaysMs };
  };
  return { access, tryLogin };
}

describe('the work of a login', () => {
  it('and its answer are the same for a user that there is not, one without a password, and a wrong password', async () => {
    const { tryLogin } = await opened();
    const wrong = await tryLogin('ann', 'guess');
    expect(wrong).toEqual({
      outcome: 'unauthenticated: the credentials are not right',
      costs: [COST],
      delaysMs: [fixed.failedLoginDelayMs],
    });
    for (const [userName, password] of [
      ['none', 'guess'],
      ['none', 'word'],
      ['', 'guess'],
      ['a name\nthat none has', 'guess'],
      ['job', 'guess'],
      ['job', ''],
      ['ann', ''],
      ['Ann', 'word'],
      ['root', 'word'],
    ] as const) {
      expect(await tryLogin(userName, password), userName).toEqual(wrong);
    }
    // A guess that was wrong is as costly the next time.
    expect(await tryLogin('ann', 'guess')).toEqual(wrong);
  });

  it('is done once for a right password, until that is another one', async () => {
    const { access, tryLogin } = await opened();
    expect(await tryLogin('ann', 'word')).toEqual({ outcome: 'accepted', costs: [COST], delaysMs: [] });
    expect(await tryLogin('ann', 'word')).toEqual({ outcome: 'accepted', costs: [], delaysMs: [] });
    const next = await access.logins.passwords.hash('next');
    await access.change((draft) => records.setPassword(draft, 'ann', next));
    expect(await tryLogin('ann', 'word')).toMatchObject({ costs: [COST] });
    expect(await tryLogin('ann', 'next')).toMatchObject({ outcome: 'accepted', costs: [COST] });
  });

  it('is bounded: few run at once, so many wait, and one more is refused at once', async () => {
    const { access } = await opened();
    runs.length = 0;
    const { passwordChecksMax, passwordChecksWaitingMax } = fixed;
    const room = passwordChecksMax + passwordChecksWaitingMax;
    const outcomes = await Promise.allSettled(
      Array.from({ length: room + 2 }, async (_, index) =>
        access.logins.login({
          kind: 'password',
          userName: index % 2 === 0 ? 'ann' : 'none',
          password: `guess ${index}`,
        }),
      ),
    );
    const codes = outcomes.map((each) =>
      each.status === 'rejected' ? (each.reason as StoreError).code : '',
    );
    expect(codes.filter((code) => code === 'unauthenticated')).toHaveLength(room);
    expect(codes.slice(room)).toEqual(['limitReached', 'limitReached']);
    expect(runs).toHaveLength(room);
    expect(access.logins.passwords.figures).toMatchObject({ runningCount: 0, waitingCount: 0 });
  });
});
