/**
 * What commands do with their keys, as COMMAND INFO and COMMAND GETKEYSANDFLAGS tell it: `RO`, `OW`, `RW` and `RM` are about the
 * entry, the others about its data. Most follow from the use of a key, which access asks for; the rest stand here as in Redis 7.0.
 */
import type { CommandFacts, FoundKeys, KeyPlaces, KeyUse } from './command.ts';

const BY_USE: Readonly<Record<KeyUse, string>> = {
  read: 'RO access',
  write: 'OW update',
  both: 'RW access update',
};

/** By flags for each row of places, the commands that have them. */
const COMMANDS_BY_FLAGS: readonly (readonly [flags: readonly string[], names: string])[] = [
  [
    ['RO'],
    'watch hlen hstrlen hexists exists touch type object|encoding object|freq object|idletime object|refcount llen sismember scard zcard strlen memory|usage xlen',
  ],
  [
    ['RW update'],
    'hset hmset expire pexpire expireat pexpireat persist lset zadd setrange geoadd xadd xsetid xack xclaim xgroup|setid',
  ],
  [
    ['RW insert'],
    'hsetnx pfadd lpush rpush lpushx rpushx linsert sadd append xgroup|create xgroup|createconsumer',
  ],
  [
    ['RW delete'],
    'hdel lrem ltrim srem zrem zremrangebyrank zremrangebyscore zremrangebylex xdel xtrim xautoclaim xgroup|destroy xgroup|delconsumer',
  ],
  [['RW access'], 'pfcount'],
  [['RO access'], 'xreadgroup'],
  [['RW access insert', 'RO access'], 'pfmerge'],
  [['RM delete'], 'del unlink'],
  [['RW access delete', 'OW update'], 'rename'],
  [['RW access delete', 'OW insert'], 'renamenx'],
  [
    ['RW access delete'],
    'lpop rpop blpop brpop spop zpopmin zpopmax bzpopmin bzpopmax getdel lmpop blmpop zmpop bzmpop',
  ],
  [['RW access delete', 'RW insert'], 'lmove rpoplpush blmove brpoplpush smove'],
  [['RW update', 'RO access'], 'sinterstore'],
  [['OW insert'], 'msetnx setnx'],
];

const flagsByName = new Map(
  COMMANDS_BY_FLAGS.flatMap(([flags, names]) => names.split(' ').map((name) => [name, flags] as const)),
);
/** Of a row of places. @param row its index among those of the command. */
export function flagsOfPlaces(name: string, row: number, use: KeyUse): readonly string[] {
  return (flagsByName.get(name)?.[row] ?? BY_USE[use]).split(' ');
}

/** Of a key of a call. @param index of its word. */
export function flagsOfKey({ name, keys }: CommandFacts, index: number, use: KeyUse): readonly string[] {
  if (keys === undefined || isFound(keys)) return flagsOfPlaces(name, 0, use);
  const row = keys.findIndex(({ first, last }) => index >= first && (last < 0 || index <= last));
  return flagsOfPlaces(name, row, use);
}

/** Of a command whose words tell what is done with its one key, and that has it in one place, the row of places; its flags. */
export function variablePlace(name: string): readonly [KeyPlaces, readonly string[]] | undefined {
  if (name !== 'set' && name !== 'bitfield') return undefined;
  return [{ first: 1, last: 1, step: 1, use: 'both' }, ['RW', 'access', 'update', 'variable_flags']];
}

export function isFound(keys: readonly KeyPlaces[] | FoundKeys): keys is FoundKeys {
  // A list has a method of the name `find`, too.
  return 'told' in keys;
}
