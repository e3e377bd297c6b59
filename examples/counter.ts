/**
 * Counters with many writers: the plain one, and one that counts each event once although the event may be handed in
 * twice. Run it beside a server: `npm run example examples/counter.ts`.
 */
import { createClient } from 'kelpdb/client';

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

// Five orders, each handed in twice: the number and the note that an order was seen change in one transaction. So a call may be
// made as often as needed, also when an answer was lost and it is not known whether it was counted.
const orders = client.recipes.counter('orders');
const ids = Array.from({ length: 5 }, (_, index) => `${Date.now()}-${index}`);
await client.delete('orders');
const additions = await Promise.all([...ids, ...ids].map((id) => orders.add(1, { id })));
console.log('orders:', String(await orders.value()));
console.log('refused as seen before:', additions.filter(({ counted }) => !counted).length);
