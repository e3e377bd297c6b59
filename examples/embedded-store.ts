/** The store that the server serves, in this process: `npm run example examples/embedded-store.ts`. */
import { openStore } from 'kelpdb';

// Recovers what is there. A second process that opens the same folder is refused.
const store = await openStore({ dataDir: process.env['KELP_DATA_DIR'] ?? './data-embedded' });

// Each resolves once it is on disk. Writes that come together share one flush.
const names = ['ada', 'grace', 'edsger'];
await Promise.all(names.map((name) => store.put(`users/${name}`, JSON.stringify({ name }))));
const { entry } = await store.get('users/ada');
console.log(Buffer.from(entry?.value ?? []).toString());

// A page of them; `pageToken` asks for the next, as of the same revision.
const { entries } = await store.scan({ prefix: 'users/' }, { limit: 2 });
console.log(entries.map(({ key }) => key));
await store.close();
