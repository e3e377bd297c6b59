/** BEGIN, COMMIT, ROLLBACK; `keys/transaction.ts` says what a transaction is. */
import { listedKeyJson } from '../../../api-json.ts';
import { exitCode } from '../../process/exit-code.ts';
import { factsOfWord } from '../../../shell-words/word-facts.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import { type ShellCommand, type ShellSession, command, nothing } from '../command.ts';
import { Transaction } from '../keys/transaction.ts';
import { reply } from '../reply.ts';
import { quoteWord } from '../../../shell-words/quote.ts';

const begin = command(factsOfWord('BEGIN'), nothing, async (_, session) => {
  if (session.transaction !== undefined) {
    throw new UsageError('a transaction is open already; COMMIT or ROLLBACK ends it');
  }
  session.transaction = new Transaction(session.store);
  return reply('OK', { transaction: 'begun' });
});

const commit = command(factsOfWord('COMMIT'), nothing, async (_, session) => {
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
});

const rollback = command(factsOfWord('ROLLBACK'), nothing, async (_, session) => {
  openTransaction(session);
  session.transaction = undefined;
  return reply('OK', { transaction: 'rolledBack' });
});

function openTransaction({ transaction }: ShellSession): Transaction {
  if (transaction === undefined) throw new UsageError('no transaction is open; BEGIN begins one');
  return transaction;
}

export const transactionCommands: readonly ShellCommand[] = [begin, commit, rollback];
