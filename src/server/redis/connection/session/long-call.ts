/**
 * Session commands that take time, such as a password that is checked: the connection is busy until what they return is settled. Their
 * words and their reply are their own, since other connections have their turns meanwhile.
 */
import { RunningCall } from '../../commands/running-call.ts';
import type { SessionCommand } from '../../commands/session-command.ts';
import type { PlacedArguments } from '../../protocol/placed-arguments.ts';
import { ReplyWriter } from '../../protocol/reply-writer.ts';
import type { ConnectionSession } from './connection-session.ts';

export function runLong(session: ConnectionSession, row: SessionCommand, args: PlacedArguments): void {
  const reply = new ReplyWriter();
  reply.version = session.version;
  const call = new RunningCall(args.ownCopy(), reply, session, session.context.cursors);
  session.isBusy = true;
  session.longCall = call;
  void settle(session, row, call);
}

async function settle(session: ConnectionSession, row: SessionCommand, call: RunningCall): Promise<void> {
  const { reply, args } = call;
  const { clock, hooks, runner } = session.context;
  const startMs = clock.monotonicMs();
  try {
    await row.session(session, call);
  } catch (error) {
    reply.rollBack(0);
    runner.answer(error, reply, row.name);
  }
  session.longCall = undefined;
  hooks.ran?.(session, row, args);
  session.spentMs = 0;
  session.endedLater(row, args, clock.monotonicMs() - startMs);
  if (session.isClosed) return;
  session.outlet.answerLater(reply.take());
  session.goOn();
}
