/** OBJECT: what Redis would say of how it keeps a value. KelpDB keeps it otherwise, and says what clients expect. */
import type { Version } from '../../../../engine/version.ts';
import type { ReadView } from '../../../../store/views/view.ts';
import { encodingOf, referenceCountOf } from '../../../../types/keys/encoding.ts';
import { frequencyNotKept } from '../../replies/errors.ts';
import type { Command, CommandCall, CommandFacts } from '../command.ts';

/** Of a key that is not there nothing is told. */
function ofKey(tell: (view: ReadView, version: Version, call: CommandCall) => void) {
  return (view: ReadView, call: CommandCall): void => {
    const version = view.read(call.args.key(2));
    if (version === undefined) call.reply.nil();
    else tell(view, version, call);
  };
}

const encoding = ofKey((view, version, { reply }) => reply.text(encodingOf(view, version)));
const refcount = ofKey((_, version, { reply }) => reply.integer(referenceCountOf(version)));
/** When a key was looked at last is not kept: as if it were now. */
const idletime = ofKey((_view, _version, { reply }) => reply.integer(0));
const freq = ofKey(() => {
  throw frequencyNotKept();
});

const HELP = [
  'OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'ENCODING <key>',
  '    Return the kind of internal representation used in order to store the value',
  '    associated with a <key>.',
  'FREQ <key>',
  '    Return the access frequency index of the <key>. The returned integer is',
  '    proportional to the logarithm of the recent access frequency of the key.',
  'IDLETIME <key>',
  '    Return the idle time of the <key>, that is the approximated number of',
  '    seconds elapsed since the last access to the key.',
  'REFCOUNT <key>',
  '    Return the number of references of the value associated with the specified',
  '    <key>.',
  'HELP',
  '    Prints this help.',
];

function help(_: ReadView, { reply }: CommandCall): void {
  reply.array(HELP.length);
  for (const line of HELP) reply.simple(line);
}

const facts = {
  arity: 3,
  flags: ['readonly'],
  keys: [{ first: 2, last: 2, step: 1, use: 'read' }],
  categories: ['keyspace', 'read', 'slow'],
  group: 'generic',
  since: '2.2.3',
  complexity: 'O(1)',
  syntax: 'key',
} as const satisfies Partial<CommandFacts>;

export const objectCommands: readonly Command[] = [
  {
    ...facts,
    name: 'object|encoding',
    summary: 'Inspect the internal encoding of a Redis object',
    read: encoding,
  },
  {
    ...facts,
    name: 'object|freq',
    summary: 'Get the logarithmic access frequency counter of a Redis object',
    since: '4.0.0',
    read: freq,
  },
  {
    ...facts,
    name: 'object|idletime',
    summary: 'Get the time since a Redis object was last accessed',
    read: idletime,
  },
  {
    ...facts,
    name: 'object|refcount',
    summary: 'Get the number of references to the value of the key',
    read: refcount,
  },
  {
    name: 'object|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['keyspace', 'slow'],
    group: 'generic',
    summary: 'Show helpful text about the different subcommands',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax: '',
    read: help,
  },
];
