/** The store that the server serves, in this process: `npm run example examples/embedded-store.ts`. */
import { isStoreError, openStore } from 'kelpdb';

// Recovers what is there; a second process that opens the same folder is refused.
const store = await openStore({ dataDir: process.env['KELP_DATA_DIR'] ?? './data-embedded' });

// Resolves once the write is on disk. Writes that come together share one flush.
const names = ['ada', 'grace', 'edsger'];
await Promise.all(names.map((name) => store.put(`users/${name}`, JSON.stringify({ name }))));

const { entry } = await store.get('users/ada');
console.log(entry === undefined ? 'nobody' : Buffer.from(entry.value).toString());

// One page after the other, all of them as of one revision.
let pageToken = '';
do {
  const page = await store.scan({ prefix: 'users/' }, { limit: 2, pageToken });
  console.log(page.entries.map(({ key }) => key));
  pageToken = page.nextPageToken;
} while (pageToken !== '');

// A condition keeps two writers from overwriting each other.
try {
  await store.put('users/ada', 'mine', { condition: { kind: 'mustNotExist' } });
} catch (error) {
  if (!isStoreError(error, 'conditionFailed')) throw error;
  console.log(
    'there is one already, of the same revision:',
    error.details.currentModRevision === entry?.modRevision,
  );
}

const { revision } = await store.deleteRange({ prefix: 'users/' });
for await (const message of store.watch({ startRevision: revision })) {
  if (message.kind === 'events') console.log(message.events.map(({ type }) => type));
  if (message.kind === 'synced') break;
}
await store.close();
