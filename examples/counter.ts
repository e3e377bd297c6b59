/**
 * Counters with many writers: the plain one, and one that counts each event once although the event may be handed in
 * twice. Run it beside a server: `npm run example examples/counter.ts`.
 */
import { type KelpClient, createClient, isKelpError } from 'kelpdb/client';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Counts an event unless it was counted before: the number and the note that the event was seen change in one transaction.
 * So the call may be repeated as often as needed, also when an answer was lost and it is not known whether it was counted.
 * @returns whether this call counted it.
 */
async function countOnce(client: KelpClient, key: string, eventId: string): Promise<boolean> {
  const seen = `seen/${key}/${eventId}`;
  for (;;) {
    try {
      const { succeeded } = await client.txn({
        compares: [{ subject: { key: seen }, relation: 'equal', operand: { kind: 'exists', value: false } }],
        success: [
          { kind: 'increment', key, delta: 1n },
          // Forgotten after a day: by then the event is not handed in again.
          { kind: 'put', key: seen, value: '', ttlMs: DAY_MS },
        ],
      });
      return succeeded;
    } catch (error) {
      if (!isKelpError(error) || !error.mayHaveTakenEffect) throw error;
    }
  }
}

const { KELP_ADDRESS: address = '127.0.0.1:7379', KELP_TOKEN: token } = process.env;
await using client = createClient({ address, ...(token && { credentials: { token } }) });

// Ten writers at once. No increment is lost, and each gets the number that it made.
await client.delete('visits');
const numbers = await Promise.all(
  Array.from({ length: 10 }, async () => {
    const own: bigint[] = [];
    for (let visit = 0; visit < 20; visit++) own.push((await client.increment('visits')).value);
    return own;
  }),
);
console.log('visits:', (await client.get('visits')).entry?.text());
console.log('different numbers:', new Set(numbers.flat()).size);

// Five orders, each handed in twice.
const orders = Array.from({ length: 5 }, (_, index) => `${Date.now()}-${index}`);
await client.delete('orders');
const counted = await Promise.all([...orders, ...orders].map((id) => countOnce(client, 'orders', id)));
console.log('orders:', (await client.get('orders')).entry?.text());
console.log('refused as seen before:', counted.filter((isNew) => !isNew).length);
