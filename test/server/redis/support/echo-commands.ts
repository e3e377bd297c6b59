/** A tiny family for the tests of what runs commands: registers of text under plain keys. */
import { StoreError } from '../../../../src/errors.ts';
import type { Command, CommandCall, Slice, Waiting } from '../../../../src/server/redis/commands/command.ts';
import { syntaxError } from '../../../../src/server/redis/replies/errors.ts';
import { USER_KEYS } from '../../../../src/store/views/regions.ts';
import type { ReadView, View } from '../../../../src/store/views/view.ts';

const facts = {
  flags: ['fast'],
  categories: ['fast'],
  group: 'string',
  summary: 'For tests.',
  since: '1.0.0',
  complexity: 'O(1)',
  syntax: '',
} as const;
const key = (use: 'read' | 'write' | 'both') => ({ keys: [{ first: 1, last: 1, step: 1, use }] });

function set(view: View, call: CommandCall): void {
  const { args, reply } = call;
  if (args.count > 3) throw syntaxError();
  const name = args.key(1);
  view.put(name, args.bytes(2));
  call.notify('$', 'set', name);
  reply.ok();
}

function get(view: ReadView, { args, reply }: CommandCall): void {
  const version = view.read(args.key(1));
  if (version === undefined) reply.nil();
  else reply.bulk(version.value);
}

/** Writes before it knows whether it fails. */
function incrby(view: View, call: CommandCall): void {
  const { args, reply } = call;
  const name = args.key(1);
  const before = Buffer.from(view.read(name)?.value ?? '0').toString();
  view.put(name, Buffer.from('half done'));
  call.notify('$', 'incrby', name);
  const begun = reply.beginArray();
  const sum = BigInt(before) + args.int64(2);
  view.put(name, Buffer.from(String(sum)));
  reply.integer(sum);
  reply.endArray(begun, 1);
}

/** Counts down from a number, in pieces of three. */
function countdown(_: ReadView, { args, reply }: CommandCall): Slice | undefined {
  const count = args.integer(1);
  reply.array(count);
  const from = (first: number): Slice => {
    return (_view, out) => {
      let next = first;
      for (const last = Math.max(next - 3, 0); next > last; next--) out.integer(next);
      return next === 0 ? undefined : from(next);
    };
  };
  return count === 0 ? undefined : from(count);
}

/** Adds to a row of letters. */
function append(view: View, call: CommandCall): void {
  const name = call.args.key(1);
  const before = Buffer.from(view.read(name)?.value ?? []);
  const after = Buffer.concat([before, call.args.bytes(2)]);
  view.put(name, after);
  call.reply.integer(after.length);
}

/** Takes the last letter of a row, or waits for one. */
function takeLetter(view: View, call: CommandCall): Waiting | undefined {
  const { args, reply } = call;
  const keys: Uint8Array[] = [];
  for (let index = 1; index < args.count - 1; index++) {
    const key = args.key(index);
    keys.push(Uint8Array.prototype.slice.call(key));
    const version = call.looksAt(key) ? view.read(key) : undefined;
    if (version === undefined) continue;
    if (version.kind !== 0) throw new StoreError('wrongType', 'it is no row of letters');
    const letters = Buffer.from(version.value);
    if (letters.length === 1) view.delete(key);
    else view.put(key, letters.subarray(0, -1));
    reply.bulk(letters.subarray(-1));
    return undefined;
  }
  return { keys, timeoutMs: args.integer(args.count - 1), onTimeout: (late) => late.nil() };
}

/** Deletes keys of users, two in each of its decisions. */
function deleteAll(view: View, { reply }: CommandCall): boolean {
  if (view.deleteRange(USER_KEYS, { keysMax: 2, bytesMax: Infinity }).nextKey !== undefined) return true;
  reply.ok();
  return false;
}

export const echoCommands: readonly Command[] = [
  { ...facts, ...key('write'), name: 'set', arity: -3, write: set },
  { ...facts, ...key('read'), name: 'get', arity: 2, read: get },
  { ...facts, ...key('both'), name: 'incrbyarray', arity: 3, write: incrby },
  { ...facts, ...key('both'), flags: ['write', 'fast'], name: 'append', arity: 3, write: append },
  {
    ...facts,
    keys: [{ first: 1, last: -2, step: 1, use: 'both' }],
    name: 'takeletter',
    arity: -3,
    block: takeLetter,
  },
  { ...facts, name: 'deleteall', arity: 1, parts: deleteAll },
  {
    ...facts,
    name: 'rankof',
    arity: 2,
    newest: (view, { args, reply }) => reply.integer(view.rank(USER_KEYS, args.key(1))),
  },
  { ...facts, name: 'countdown', arity: 2, read: countdown },
  { ...facts, name: 'object|encoding', arity: 3, read: (_, { reply }) => reply.text('embstr') },
];
