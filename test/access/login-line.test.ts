/** Whose password is checked next. */
import { describe, expect, test } from 'vitest';
import { LoginLine, type LoginPeer } from '../../src/access/login/login-line.ts';
import { fixed } from '../../src/limits.ts';
import { ManualClock } from '../support/manual-clock.ts';

const busy = expect.objectContaining({ code: 'limitReached', retryAfterMs: fixed.busyRetryMs }) as unknown;

/** A line whose checks last until a test ends them. */
class Played {
  readonly clock = new ManualClock();
  readonly line = new LoginLine(this.clock);
  /** Names of those that run, in the order in which they began. */
  readonly running: string[] = [];
  readonly refused: string[] = [];
  readonly #peerByName = new Map<string, LoginPeer>();

  enter(name: string, peer: LoginPeer): void {
    this.#peerByName.set(name, peer);
    void this.line.enter(peer).then(
      () => this.running.push(name),
      (error: unknown) => {
        expect(error).toEqual(busy);
        this.refused.push(name);
      },
    );
  }

  async end(name: string, isFailed = false): Promise<void> {
    this.running.splice(this.running.indexOf(name), 1);
    this.line.leave(this.#peerByName.get(name) as LoginPeer, isFailed);
    await this.clock.settled();
  }

  /** Ends checks until none is left; in which order they began. */
  async rest(): Promise<string[]> {
    const begun: string[] = [];
    await this.clock.settled();
    for (let next = this.running[0]; next !== undefined; next = this.running[0]) {
      begun.push(next);
      await this.end(next);
    }
    return begun;
  }
}

function peerOf(network: string): LoginPeer {
  return { connection: {}, network };
}

test('few checks run at once, and the others in their order', async () => {
  const played = new Played();
  for (const name of ['a', 'b', 'c', 'd']) played.enter(name, peerOf('net'));
  await played.clock.settled();
  expect([played.running, played.line.waitingCount]).toEqual([['a', 'b'], 2]);
  expect(await played.rest()).toEqual(['a', 'b', 'c', 'd']);
  expect([played.line.runningCount, played.line.waitingCount]).toEqual([0, 0]);
});

describe('a flood', () => {
  test('of one network lets those of others have their turn next', async () => {
    const played = new Played();
    for (let index = 0; index < 10; index++) played.enter(`flood ${index}`, peerOf('flood'));
    played.enter('one', peerOf('one'));
    played.enter('other', peerOf('other'));
    expect((await played.rest()).slice(0, 5)).toEqual(['flood 0', 'flood 1', 'flood 2', 'one', 'other']);
  });

  test('of one connection of this machine lets the others have theirs', async () => {
    const played = new Played();
    const flood = peerOf('');
    for (let index = 0; index < 3; index++) played.enter(`flood ${index}`, flood);
    for (const name of ['one', 'other']) played.enter(name, peerOf(''));
    expect(await played.rest()).toEqual(['flood 0', 'one', 'flood 1', 'other', 'flood 2']);
  });

  test('of one connection fills its own part of the line alone', async () => {
    const played = new Played();
    const flood = peerOf('net');
    for (let index = 0; index < 40; index++) played.enter(`flood ${index}`, flood);
    played.enter('same network', peerOf('net'));
    await played.clock.settled();
    expect(played.running).toEqual(['flood 0', 'same network']);
    expect(played.refused).toHaveLength(40 - fixed.passwordChecksOfConnectionMax - 1);
  });

  test('of many connections gives up its newest when the line is full', async () => {
    const played = new Played();
    const count = fixed.passwordChecksMax + fixed.passwordChecksWaitingMax;
    for (let index = 0; index < count; index++) played.enter(`flood ${index}`, peerOf('flood'));
    await played.clock.settled();
    expect(played.refused).toEqual([]);
    played.enter('one', peerOf('one'));
    played.enter('flood again', peerOf('flood'));
    await played.clock.settled();
    expect(new Set(played.refused)).toEqual(new Set([`flood ${count - 1}`, 'flood again']));
    // Behind those that run and the one that was next when it came.
    expect((await played.rest())[fixed.passwordChecksMax + 1]).toBe('one');
  });

  test.each(['', 'net'])(
    'whose clients are gone leaves no check behind, of network "%s"',
    async (network) => {
      const played = new Played();
      const gone = { destroyed: false };
      const count = fixed.passwordChecksMax + fixed.passwordChecksOfConnectionMax;
      for (let index = 0; index < fixed.passwordChecksMax; index++)
        played.enter(`runs ${index}`, peerOf('other'));
      for (let index = fixed.passwordChecksMax; index < count; index++)
        played.enter(`gone ${index}`, { connection: gone, network });
      await played.clock.settled();
      expect(played.line.waitingCount).toBe(fixed.passwordChecksOfConnectionMax);
      gone.destroyed = true;
      played.enter('next', peerOf(network));
      await played.clock.settled();
      expect(played.line.waitingCount).toBe(1);
      expect(played.refused).toHaveLength(fixed.passwordChecksOfConnectionMax);
      expect((await played.rest()).at(-1)).toBe('next');
    },
  );

  test.each(['', 'net'])(
    'of connections of network "%s" that have failed lets those go first that have not',
    async (network) => {
      const played = new Played();
      const failed = [peerOf(network), peerOf(network)];
      for (const [index, peer] of failed.entries()) played.enter(`first ${index}`, peer);
      await played.clock.settled();
      for (const [index] of failed.entries()) await played.end(`first ${index}`, true);
      await played.clock.pass(fixed.failedLoginDelayMs);
      for (const name of ['runs', 'runs too']) played.enter(name, peerOf('other'));
      for (const [index, peer] of failed.entries()) played.enter(`again ${index}`, peer);
      played.enter('one', peerOf(network));
      played.enter('of another', peerOf('another'));
      expect((await played.rest()).slice(2)).toEqual(
        network === ''
          ? ['one', 'again 0', 'again 1', 'of another']
          : ['one', 'of another', 'again 0', 'again 1'],
      );
    },
  );

  test('of many networks fills the line, and is told when to come again', async () => {
    const played = new Played();
    const count = fixed.passwordChecksMax + fixed.passwordChecksWaitingMax;
    for (let index = 0; index < count; index++) played.enter(`${index}`, peerOf(`${index}`));
    played.enter('one more', peerOf('one more'));
    await played.clock.settled();
    expect(played.refused).toEqual(['one more']);
  });
});

describe('a wrong password', () => {
  test('holds up the next check of its connection, and no other', async () => {
    const played = new Played();
    const wrong = peerOf('net');
    played.enter('wrong', wrong);
    played.enter('next', wrong);
    await played.clock.settled();
    expect(played.running).toEqual(['wrong']);
    await played.end('wrong', true);
    played.enter('other', peerOf('net'));
    await played.clock.settled();
    expect(played.running).toEqual(['other']);
    await played.clock.pass(fixed.failedLoginDelayMs - 1);
    expect(played.running).toEqual(['other']);
    await played.clock.pass(1);
    expect(played.running).toEqual(['other', 'next']);
  });

  test('of an address again and again makes its next check wait longer and longer, until that is forgotten', async () => {
    const played = new Played();
    const fail = async (): Promise<number> => {
      const beganAtMs = played.clock.monotonicMs();
      played.enter('wrong', peerOf('net'));
      await played.clock.settled();
      while (played.running.length === 0) await played.clock.pass(10);
      const tookMs = played.clock.monotonicMs() - beganAtMs;
      await played.end('wrong', true);
      return tookMs;
    };
    const waits: number[] = [];
    for (let index = 0; index < 12; index++) waits.push(await fail());
    expect(waits).toEqual([0, 0, 0, 0, 0, 0, 500, 1000, 2000, 4000, 8000, 8000]);

    played.enter('elsewhere', peerOf('elsewhere'));
    await played.clock.settled();
    expect(played.running).toEqual(['elsewhere']);
    await played.end('elsewhere');
    await played.clock.pass(fixed.failedLoginsForgottenMs);
    expect([await fail(), await fail()]).toEqual([0, 0]);
  });
});
