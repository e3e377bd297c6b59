/** OBJECT: what Redis would say of how it keeps a value. KelpDB keeps it otherwise, and says what clients expect. */
import type { Version } from '../../../../../engine/version.ts';
import type { ReadView } from '../../../../../store/views/view.ts';
import { encodingOf, referenceCountOf } from '../../../../../types/keys/encoding.ts';
import { frequencyNotKept } from '../../../replies/errors.ts';
import { replyHelp } from '../../../replies/help.ts';
import type { Command, CommandCall, CommandFacts } from '../../command.ts';

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

function help(_: ReadView, { reply }: CommandCall): void {
  replyHelp(reply, 'object', objectCommands);
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
    summary: 'Tells the encoding that Redis would have for a value',
    read: encoding,
  },
  {
    ...facts,
    name: 'object|freq',
    summary: 'Is refused, as how often a key is used is not counted',
    since: '4.0.0',
    read: freq,
  },
  {
    ...facts,
    name: 'object|idletime',
    summary: 'Answers 0, as when a key was used last is not kept',
    read: idletime,
  },
  {
    ...facts,
    name: 'object|refcount',
    summary: 'Tells the count of references that Redis would have for a value',
    read: refcount,
  },
  {
    name: 'object|help',
    arity: 2,
    flags: ['loading', 'stale'],
    categories: ['keyspace', 'slow'],
    group: 'generic',
    summary: 'Lists the subcommands',
    since: '6.2.0',
    complexity: 'O(1)',
    syntax: '',
    read: help,
  },
];
