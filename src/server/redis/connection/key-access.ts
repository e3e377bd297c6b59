/**
 * What a user may run: each key of a call is asked for by its place and use. Keys of the databases 1 to 15 have no grants of their own,
 * so they, and commands over all keys, are for users with the right to all keys; what is for operators is for admins.
 *
 * While access is open, and for root, it costs two comparisons.
 */
import { ALL_KEYS, type Rights } from '../../../access/rights/rights.ts';
import { serverFixed } from '../../../limits.ts';
import type { PlacedArguments } from '../protocol/placed-arguments.ts';
import { noChannelPermission, noCommandPermission, noKeyPermission } from '../replies/errors.ts';
import type { Arguments, CommandFacts, KeyUse } from '../commands/command.ts';
import { isFound } from '../commands/key-flags.ts';

/** Tells each key of a call by its index. */
export function eachKey(
  { keys }: CommandFacts,
  args: Arguments,
  tell: (index: number, use: KeyUse) => void,
): void {
  if (keys === undefined) return;
  if (isFound(keys)) {
    keys.find(args, tell);
    return;
  }
  for (const { first, last, step, use } of keys) {
    const end = last < 0 ? args.count + last : last;
    for (let index = first; index <= end && index < args.count; index += step) tell(index, use);
  }
}

/** Throws a `DeniedError` when a user may not run a call. */
export function checkCall(rights: Rights, facts: CommandFacts, args: PlacedArguments): void {
  if (rights.read === ALL_KEYS && rights.write === ALL_KEYS) {
    if (!rights.isAdmin && facts.categories.includes('admin')) throw noCommandPermission(facts.name);
    return;
  }
  if (!rights.isAdmin && facts.categories.includes('admin')) throw noCommandPermission(facts.name);
  if (facts.needsAllKeys?.(args) === true) throw noKeyPermission();
  const telling = rights.read === ALL_KEYS ? undefined : facts.readsAllKeys?.(args);
  if (telling !== undefined) throw noChannelPermission(objectOf(args, telling));
  if (facts.keys === undefined) {
    if (facts.categories.includes('keyspace') && facts.group !== 'connection')
      throw noCommandPermission(facts.name);
    return;
  }
  eachKey(facts, args, (index, use) => {
    if (args.database !== 0) throw noKeyPermission(objectOf(args, index));
    const key = args.key(index);
    if (use !== 'write' && !rights.read.has(key)) throw noKeyPermission(objectOf(args, index));
    if (use !== 'read' && !rights.write.has(key)) throw noKeyPermission(objectOf(args, index));
  });
}

/** What a denial is about: it may be all that a client sends, and is kept for ACL LOG. */
function objectOf(args: PlacedArguments, index: number): string {
  const { redisDeniedObjectBytesMax: max } = serverFixed;
  const head = args.head(index, max);
  return args.byteLengthOf(index) > max ? `${head}...` : head;
}
