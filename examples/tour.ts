/** A tour of the client. Run it beside a server: `npm run example examples/tour.ts`. */
import { createClient } from 'kelpdb/client';

await using client = createClient({ address: process.env['KELP_ADDRESS'] ?? '127.0.0.1:7379' });

await client.put('config/theme', 'dark');
const { entry } = await client.get('config/theme');
console.log(entry?.key, entry?.text());

for await (const { key, value } of client.scan({ prefix: 'config/' })) console.log(key, value.length);

// Goes on by itself over broken connections and restarts of the server, without gap or repeat.
for await (const message of client.watch({ ranges: [{ prefix: 'config/' }], includeCurrent: true })) {
  if (message.kind === 'current') console.log('now:', message.entries.length);
  if (message.kind === 'events') console.log('changed:', message.events.length);
  if (message.kind === 'synced') break; // A real one would stay; see examples/config-watcher.ts.
}

// Only if nobody else has written the key since it was read.
const { succeeded } = await client.txn({
  compares: [
    {
      subject: { key: 'config/theme' },
      relation: 'equal',
      operand: { kind: 'modRevision', value: entry?.modRevision ?? 0 },
    },
  ],
  success: [{ kind: 'put', key: 'config/theme', value: 'light' }],
});
console.log('replaced:', succeeded);

// Keys of a lease live as long as somebody renews it.
const lease = await client.leases.grant(10_000);
lease.keepAlive();
await client.put('workers/7', 'here', { leaseId: lease.id });
await lease.revoke();
console.log('still there:', (await client.get('workers/7')).entry !== undefined);
