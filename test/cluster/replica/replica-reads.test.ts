/** What reads of a read replica wait for, with a server that says what the test wants: `ReplicaReads`. */
import { expect, test } from 'vitest';
import { FollowError, type FollowedServer } from '../../../src/cluster/replica/followed-server.ts';
import { ReplicaReads } from '../../../src/cluster/replica/replica-reads.ts';
import type { StoreHead } from '../../../src/store/replication/record-feed.ts';

const HEAD: StoreHead = {
  storeId: new Uint8Array(16),
  revision: 5,
  sequence: 3,
  life: 'first',
  timeMs: 0,
  leaseClockMs: 0,
  oldestRevision: 1,
};

class Played {
  visibleRevision = 5;
  head = HEAD;
  readonly revisionsBefore: number[] = [];
  readonly reads = new ReplicaReads({
    server: { address: 'server', head: () => this.#answer() } as unknown as FollowedServer,
    signal: new AbortController().signal,
    visibleRevision: () => this.visibleRevision,
    onHead: (_, revisionBefore) => this.revisionsBefore.push(revisionBefore),
    onReached: () => undefined,
  });

  /** While the answer is on its way more may become visible. */
  onAnswer: () => void = () => undefined;

  async #answer(): Promise<StoreHead> {
    const { head } = this;
    await Promise.resolve();
    this.onAnswer();
    return head;
  }

  /** Whether a read goes on by now; it does later on. */
  async isHeld(): Promise<{ readonly read: Promise<void>; readonly isHeld: () => boolean }> {
    let isHeld = true;
    const read = this.reads.barrier(undefined).finally(() => {
      isHeld = false;
    });
    read.catch(() => undefined);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    return { read, isHeld: () => isHeld };
  }
}

test('a read waits for the notes that the server had', async () => {
  const played = new Played();
  played.reads.told({ ...HEAD, sequence: 2 });
  const { read, isHeld } = await played.isHeld();
  expect(isHeld()).toBe(true);
  played.reads.told(HEAD);
  await read;
  await played.reads.barrier(undefined);
});

test('a later revision has them all', async () => {
  const played = new Played();
  played.reads.told({ ...HEAD, sequence: 2 });
  const { read } = await played.isHeld();
  played.visibleRevision = 6;
  played.reads.moved();
  await read;
});

test('what is asked of a server that was restarted waits for its own stream, however much of an earlier one is here', async () => {
  const played = new Played();
  played.reads.told(HEAD);
  played.visibleRevision = 8;
  played.head = { ...HEAD, revision: 7, life: 'second' };
  const { read, isHeld } = await played.isHeld();
  played.visibleRevision = 9;
  played.reads.moved();
  expect(isHeld()).toBe(true);
  played.reads.told({ ...HEAD, revision: 9, life: 'second' });
  await read;
});

test('what was asked in an earlier life is to be tried again', async () => {
  const played = new Played();
  const { read } = await played.isHeld();
  played.reads.told({ ...HEAD, life: 'second' });
  await expect(read).rejects.toThrow('restarted meanwhile');
});

test('a head is compared with what was visible when it was asked for', async () => {
  const played = new Played();
  played.reads.told(HEAD);
  played.onAnswer = () => {
    played.visibleRevision = 6;
  };
  await played.reads.barrier(undefined);
  expect(played.revisionsBefore).toEqual([5]);
});

test('reads are refused while the server is another one, until it is followed again', async () => {
  const played = new Played();
  played.reads.told(HEAD);
  played.reads.refuse(new FollowError('otherStore', 'it is another one'));
  await expect(played.reads.barrier(undefined)).rejects.toThrow('it is another one');
  played.reads.told(HEAD);
  await played.reads.barrier(undefined);
});
