/** Commands of Redis 7.0 that KelpDB does not have: whether they may come, and what stands for them. */

export interface AbsentCommands {
  /** In lower case; a subcommand as `xgroup|create`. */
  readonly names: readonly string[];
  readonly state: 'later' | 'never';
  readonly note: string;
}

export const absentCommands: readonly AbsentCommands[] = [
  {
    names: [
      'cluster',
      'cluster|addslots',
      'cluster|addslotsrange',
      'cluster|bumpepoch',
      'cluster|count-failure-reports',
      'cluster|countkeysinslot',
      'cluster|delslots',
      'cluster|delslotsrange',
      'cluster|failover',
      'cluster|flushslots',
      'cluster|forget',
      'cluster|getkeysinslot',
      'cluster|help',
      'cluster|info',
      'cluster|keyslot',
      'cluster|links',
      'cluster|meet',
      'cluster|myid',
      'cluster|nodes',
      'cluster|replicas',
      'cluster|replicate',
      'cluster|reset',
      'cluster|saveconfig',
      'cluster|set-config-epoch',
      'cluster|setslot',
      'cluster|shards',
      'cluster|slaves',
      'cluster|slots',
      'asking',
      'restore-asking',
    ],
    state: 'later',
    note: 'slots of Redis Cluster; [clusters](#in-a-cluster) have one writer and no slots',
  },
  {
    names: ['replicaof', 'slaveof', 'psync', 'sync', 'replconf', 'failover', 'migrate'],
    state: 'never',
    note: 'replication in the way of Redis',
  },
  {
    names: ['module', 'module|help', 'module|list', 'module|load', 'module|loadex', 'module|unload'],
    state: 'never',
    note: 'modules of native code',
  },
  { names: ['pfdebug', 'pfselftest'], state: 'never', note: 'internals of Redis' },
];
