/** A tiny family for the tests of what runs commands: registers of text under plain keys. */
import type { Command, CommandCall, Slice } from '../../../../src/server/redis/commands/command.ts';
import { syntaxError } from '../../../../src/server/redis/replies/errors.ts';
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

export const echoCommands: readonly Command[] = [
  { ...facts, ...key('write'), name: 'set', arity: -3, write: set },
  { ...facts, ...key('read'), name: 'get', arity: 2, read: get },
  { ...facts, ...key('both'), name: 'incrbyarray', arity: 3, write: incrby },
  { ...facts, name: 'countdown', arity: 2, read: countdown },
  { ...facts, name: 'object|encoding', arity: 3, read: (_, { reply }) => reply.text('embstr') },
];
