/**
 * A lock: one holder at a time, freed by itself when its holder dies, with a token that keeps out a holder who does not
 * know yet that it has lost the lock. Run it beside a server: `npm run example examples/lock.ts`.
 */
import { type KelpClient, createClient, isKelpError } from 'kelpdb/client';

interface Lock {
  readonly key: string;
  /** The revision at which the lock was taken: every later holder has a higher one. */
  readonly token: number;
  /** Aborted when the lock is lost. Give it to everything that is done under the lock. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/** How long others wait for the lock of a holder that has died. */
const TTL_MS = 10_000;

/** Waits for its turn. */
async function acquire(client: KelpClient, key: string, holder: string): Promise<Lock> {
  const lease = await client.leases.grant(TTL_MS);
  lease.keepAlive();
  const { signal } = lease;
  const taken = (token: number): Lock => ({
    key,
    token,
    signal,
    // Ending the lease deletes the key, which is what the next one waits for.
    release: async () => void (await lease.revoke()),
  });
  try {
    for (;;) {
      const { succeeded, results, revision } = await client
        .txn(
          {
            compares: [{ subject: { key }, relation: 'equal', operand: { kind: 'exists', value: false } }],
            success: [{ kind: 'put', key, value: holder, leaseId: lease.id }],
            failure: [{ kind: 'get', key }],
          },
          { signal },
        )
        .catch((error: unknown) => {
          // The answer was lost, so the lock may be ours already. The next look at it tells.
          if (isKelpError(error) && error.mayHaveTakenEffect && !signal.aborted) return looksAgain;
          throw error;
        });
      if (succeeded) return taken(revision);
      const [found] = results;
      if (found?.kind !== 'get' || found.entry === undefined) continue;
      if (found.entry.leaseId === lease.id) return taken(found.entry.createRevision);
      await freed(client, key, revision, signal);
    }
  } catch (error) {
    // Frees the lock if it was taken without our knowing. Where that fails too, the time to live does it.
    await lease.revoke().catch(() => undefined);
    throw error;
  }
}

const looksAgain = { succeeded: false, results: [], revision: 0 };

/** Resolves at the first delete of the key behind a revision. A watch misses nothing, so one is enough. */
async function freed(client: KelpClient, key: string, revision: number, signal: AbortSignal): Promise<void> {
  const request = { ranges: [{ key }], startRevision: revision + 1, eventTypes: ['delete'], signal } as const;
  for await (const message of client.watch(request)) {
    // Where the changes are not kept any more, a new look tells just as well.
    if (message.kind === 'events' || message.kind === 'compacted') return;
  }
  signal.throwIfAborted();
}

/**
 * Writes as the holder of the lock, while it is that: the key of the lock must still be the one that was taken. What
 * lies outside of the store is to be guarded in the same way, by refusing a token below the highest it has seen.
 */
async function putAsHolder(client: KelpClient, lock: Lock, key: string, value: string): Promise<boolean> {
  const { succeeded } = await client.txn({
    compares: [
      {
        subject: { key: lock.key },
        relation: 'equal',
        operand: { kind: 'createRevision', value: lock.token },
      },
    ],
    success: [{ kind: 'put', key, value }],
  });
  return succeeded;
}

const { KELP_ADDRESS: address = '127.0.0.1:7379', KELP_TOKEN: token } = process.env;
await using client = createClient({ address, ...(token && { credentials: { token } }) });

await Promise.all(
  ['ada', 'grace', 'edsger'].map(async (name) => {
    const lock = await acquire(client, 'locks/deploy', name);
    console.log(`${name} takes the lock with token ${lock.token}`);
    await putAsHolder(client, lock, 'deployed-by', name);
    console.log(`${name} gives it back`);
    await lock.release();
  }),
);

// A holder that was away for too long: somebody else has the lock by now.
const late = await acquire(client, 'locks/deploy', 'late');
await late.release();
const next = await acquire(client, 'locks/deploy', 'next');
console.log('the late one may write:', await putAsHolder(client, late, 'deployed-by', 'late'));
console.log('the next one may write:', await putAsHolder(client, next, 'deployed-by', 'next'));
await next.release();
