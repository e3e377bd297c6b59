/** BEGIN, COMMIT, ROLLBACK; `keys/transaction.ts` says what a transaction is. */
import { listedKeyJson } from '../../../api-json.ts';
import { UsageError, exitCode } from '../../process/exit-code.ts';
import { type ShellCommand, type ShellSession, command, nothing } from '../command.ts';
import { Transaction } from '../keys/transaction.ts';
import { reply } from '../reply.ts';
import { quoteWord } from '../words/quote.ts';

const facts = {
  usage: '',
  group: 'Transactions',
  wordsMin: 0,
  wordsMax: 0,
  completes: [],
  inTransaction: 'beside',
} as const;

const begin = command(
  {
    ...facts,
    names: ['BEGIN'],
    summary: 'begin a transaction: what follows is written at COMMIT, in one revision and all or nothing',
    details: `SET, GET, DEL, EXISTS, INCR and its kin are part of it, and see what it has written so far. Nothing is locked: COMMIT
is refused, and nothing written, when a key that it has read was changed meanwhile.
`,
  },
  nothing,
  async (_, session) => {
    if (session.transaction !== undefined) {
      throw new UsageError('a transaction is open already; COMMIT or ROLLBACK ends it');
    }
    session.transaction = new Transaction(session.store);
    return reply('OK', { transaction: 'begun' });
  },
);

const commit = command(
  {
    ...facts,
    names: ['COMMIT'],
    summary: 'write what the transaction holds, unless what it has read was changed',
  },
  nothing,
  async (_, session) => {
    const transaction = openTransaction(session);
    // One that fails stays open: whether it is tried again is for the person to say.
    const outcome = await transaction.commit();
    // Where this COMMIT was given up, another one may be open by the time that its answer comes.
    if (session.transaction === transaction) session.transaction = undefined;
    if (outcome.kind === 'committed') {
      const { revision } = outcome;
      return reply('OK', { transaction: 'committed', ...(revision !== 0 && { revision }) });
    }
    const { changedKey, isAfterUnanswered } = outcome;
    const what = changedKey === undefined ? 'what it has read' : quoteWord(changedKey);
    const text = isAfterUnanswered
      ? `${what} was changed since it was read, maybe by the COMMIT before, which had no answer. This one wrote nothing.`
      : `${what} was changed since it was read. Nothing was written.`;
    return reply(
      `Aborted: ${text}`,
      {
        transaction: 'aborted',
        ...(changedKey !== undefined && { changedKey: listedKeyJson(changedKey) }),
        ...(isAfterUnanswered && { isAfterUnanswered }),
      },
      exitCode.no,
    );
  },
);

const rollback = command(
  { ...facts, names: ['ROLLBACK', 'ABORT'], summary: 'drop the transaction: nothing of it is written' },
  nothing,
  async (_, session) => {
    openTransaction(session);
    session.transaction = undefined;
    return reply('OK', { transaction: 'rolledBack' });
  },
);

function openTransaction({ transaction }: ShellSession): Transaction {
  if (transaction === undefined) throw new UsageError('no transaction is open; BEGIN begins one');
  return transaction;
}

export const transactionCommands: readonly ShellCommand[] = [begin, commit, rollback];
