/** Files in folders that are taken (`folders.ts`) which are tried over the engine memory alone, and why. */
export const OF_MEMORY: Readonly<Record<string, string>> = {
  'access/access-in-store.test.ts': 'fills the memory of a store, which is another matter over files',
  'access/durable-access.test.ts': 'restores and verifies directories of memory',
  'client/server.test.ts': 'restores a directory of memory, and snapshots that leave history as it is',
  'client/pipelining/pipeline-calls.test.ts': 'compacts revisions that a checkpoint may have passed',
  'collections/bounded-reads.test.ts': 'reads revisions that a checkpoint may have passed',
  'server/access/audit.test.ts': 'compacts revisions that a checkpoint may have passed',
  'server/access/safe-start.test.ts':
    'opens the directory of a server in the process of the test, without an engine',
  'server/access/secrets.test.ts':
    'opens the directory of a server in the process of the test, without an engine',
  'server/redis/served/crowd.long.test.ts':
    'is about what ten thousand clients take, whatever keeps the keys',
  'server/redis/services/redis-bounds.test.ts':
    'counts what is looked at: what is read of files comes on top',
};
