/**
 * What connections saw of a server, in the order in which it happened. Each connection sends steps, some before the ones before
 * them are answered; its replies come in the order of its steps.
 */
import type { DecodedReply } from '../../server/redis/support/decoded-reply.ts';
import type { Step } from './redis-model.ts';

export interface Sent {
  readonly connection: number;
  readonly step: Step;
  /** As JSON; `undefined`: it was never answered. */
  reply: string | undefined;
}

export type HistoryEvent =
  | { readonly kind: 'sent' | 'answered'; readonly sent: Sent }
  /** The server has ended: what was sent to it before has been done by now, or never will be. */
  | { readonly kind: 'ended' };

export class ConnectionHistory {
  readonly events: HistoryEvent[] = [];

  send(connection: number, step: Step): Sent {
    const sent: Sent = { connection, step, reply: undefined };
    this.events.push({ kind: 'sent', sent });
    return sent;
  }

  answer(sent: Sent, reply: DecodedReply): void {
    sent.reply = JSON.stringify(reply);
    this.events.push({ kind: 'answered', sent });
  }

  end(): void {
    this.events.push({ kind: 'ended' });
  }
}

export function describeEvent(event: HistoryEvent): string {
  if (event.kind === 'ended') return 'the server ends';
  const { connection, step, reply } = event.sent;
  const text = step.commands.map((words) => words.join(' ')).join('; ');
  const what = step.isTransaction ? `MULTI ${text} EXEC` : text;
  return `connection ${connection} ${event.kind === 'sent' ? `sends ${what}` : `gets ${reply} for ${what}`}`;
}
