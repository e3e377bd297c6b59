/**
 * A lock: one holder at a time, freed by itself when its holder dies, with a token that keeps out a holder who does not
 * know yet that it has lost the lock. Run it beside a server: `npm run example examples/lock.ts`.
 */
import { type Held, type KelpClient, createClient } from 'kelpdb/client';

/**
 * Writes as the holder of the lock, while it is that: the guard is a condition of the transaction. What lies outside of the
 * store is to be guarded in the same way, by refusing a token below the highest that it has seen.
 */
async function putAsHolder(client: KelpClient, lock: Held, key: string, value: string): Promise<boolean> {
  const { succeeded } = await client.txn({
    compares: [lock.guard],
    success: [{ kind: 'put', key, value }],
  });
  return succeeded;
}

const { KELP_ADDRESS: address = '127.0.0.1:7379', KELP_TOKEN: token } = process.env;
await using client = createClient({ address, ...(token && { credentials: { token } }) });

await Promise.all(
  ['ada', 'grace', 'edsger'].map(async (name) => {
    // Waits for its turn. Give `lock.signal` to everything that is done under the lock: it is aborted when the lock is lost.
    await using lock = await client.recipes.lock('locks/deploy', { ttlMs: 10_000 });
    console.log(`${name} takes the lock with token ${lock.token}`);
    await putAsHolder(client, lock, 'deployed-by', name);
    console.log(`${name} gives it back`);
  }),
);

// A holder that was away for too long: somebody else has the lock by now.
const late = await client.recipes.lock('locks/deploy');
await late.release();
const next = await client.recipes.lock('locks/deploy');
console.log('the late one may write:', await putAsHolder(client, late, 'deployed-by', 'late'));
console.log('the next one may write:', await putAsHolder(client, next, 'deployed-by', 'next'));
await next.release();
