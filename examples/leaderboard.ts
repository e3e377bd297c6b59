/** A leaderboard in a store of this process, with what it was before: `npm run example examples/leaderboard.ts`. */
import { openStore } from 'kelpdb';

const store = await openStore({ dataDir: process.env['KELP_DATA_DIR'] ?? './data-leaderboard' });

// A client has the same calls: `client.sortedSet.add(...)`.
const { revision } = await store.sortedSet.add('scores', { alice: 310, bob: 120, carol: 200 });
await store.sortedSet.add('scores', { bob: 400 });
await store.hash.set('player:bob', { name: 'Bob', team: 'red' });

const best = { reverse: true, limit: 2 };
for await (const { member, score } of store.sortedSet.range('scores', {}, best))
  console.log(member.text(), score);

// As it was at the revision of the first write.
for await (const { member } of store.sortedSet.range('scores', {}, { ...best, revision }))
  console.log('before:', member.text());

const { fields } = await store.hash.get('player:bob');
console.log(fields.toObject());
await store.close();
