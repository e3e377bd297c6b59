/**
 * What each folder of `test/` is to the matrix: its suites are tried over each engine on disk, or why they are not. `folders.test.ts` holds that
 * none is left out in silence.
 */

/**
 * Patterns of files whose stores and servers take the engine of the tests (`test/support/test-engine.ts`). Single tests in them that are
 * about the engine memory skip themselves over others, and say why.
 */
export const TAKEN: readonly string[] = [
  'access/*.test.ts',
  'blobs/*.test.ts',
  'client/**/*.test.ts',
  'collections/*.test.ts',
  'kv/*.test.ts',
  'served/served.long.test.ts',
  'server/*.test.ts',
  'server/{access,calls,grpc,health,http,limits,listener,metrics,rest,scripts,tls,tracing,web}/*.test.ts',
  'server/etcd/**/*.test.ts',
  'server/redis/{commands,connection,cursors,differential,served,services,tracking}/**/*.test.ts',
  'server/services/**/*.test.ts',
  'store/watch/*.test.ts',
  'transfer/*.test.ts',
  'types/**/*.test.ts',
  'watch/*.test.ts',
];

/** Folders, with all below them that is not taken, by the reason why they are left out. */
export const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  'no store is opened there': [
    'arguments',
    'bench',
    'deadlines',
    'disk',
    'house',
    'http2',
    'lua',
    'server/config',
    'server/json',
    'server/logging',
    'server/redis/protocol',
    'server/redis/scripting',
    'tracing',
    'wal',
    'wire',
  ],
  'each engine is tried there by its name': [
    'crash',
    'engine',
    'matrix',
    'server/engines',
    'simulation',
    'store',
  ],
  'a node of a cluster keeps its keys in memory': [
    'cluster',
    'server/cluster',
    'server/redis/cluster',
    'shared-log',
  ],
  'files of the engine memory are written, damaged and read there; those of the others have tests of their own':
    ['fuzz', 'offline', 'snapshot'],
  'what is called there is what the suites of the doors call; it is about who calls': [
    'cli',
    'clients',
    'console',
    'deploy',
    'docs',
    'examples',
    'linearizability',
    'package',
    'peers',
    'readme',
  ],
};
