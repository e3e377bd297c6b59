/** A tour of the client. Run it beside a server: `npm run example examples/tour.ts`. */
import { createClient } from 'kelpdb/client';

const { KELP_ADDRESS: address = '127.0.0.1:7379', KELP_TOKEN: token } = process.env;
await using client = createClient({ address, ...(token && { credentials: { token } }) });

const key = 'config/theme';
const { revision } = await client.put(key, 'dark');
const { entry } = await client.get(key);
console.log(entry?.key, entry?.text());

for await (const { key, value } of client.scan({ prefix: 'config/' })) console.log(key, value.length);

// Goes on by itself over broken connections and restarts of the server, without gap or repeat.
for await (const message of client.watch({ ranges: [{ prefix: 'config/' }], includeCurrent: true })) {
  if (message.kind === 'current') console.log('now:', message.entries.length);
  if (message.kind === 'synced') break; // A real one would stay.
}

// Only if the key was not written since.
const { succeeded } = await client.txn({
  compares: [{ subject: { key }, relation: 'equal', operand: { kind: 'modRevision', value: revision } }],
  success: [{ kind: 'put', key, value: 'light' }],
});
console.log('replaced:', succeeded);

// The keys of a lease live for as long as somebody renews it.
const lease = await client.leases.grant(10_000);
lease.keepAlive();
await client.put('workers/7', 'here', { leaseId: lease.id });
await lease.revoke();
console.log('still there:', (await client.get('workers/7')).entry !== undefined);
