/**
 * A connection at a follower goes to the writer: from the command on that has asked for that, which comes first there. The client waits
 * meanwhile. Where the writer can't be reached, the command is told so, and the connection is closed: its client will try again by
 * itself.
 */
import { preludeOf } from '../../cluster/prelude.ts';
import type { ClusterDoor } from '../../cluster/cluster-door.ts';
import { textOf, INTERNAL } from '../../replies/errors.ts';
import { ReplyWriter } from '../../protocol/reply-writer.ts';
import type { ConnectionSession } from './connection-session.ts';
import { Relay } from './relay.ts';

/** The session is busy, and its parser is before the command. */
export async function passOn(session: ConnectionSession, cluster: ClusterDoor): Promise<void> {
  const address = cluster.writerAddress;
  const closed = new AbortController();
  session.onClose(() => closed.abort());
  try {
    const writer = await cluster.connect(address, preludeOf(session, session.shown), closed.signal);
    if (session.isClosed || session.isClosing) {
      writer.destroy();
      session.goOn();
      return;
    }
    session.relayTo(new Relay(session, cluster, address, writer));
  } catch (error) {
    if (session.isClosed) return;
    const reply = new ReplyWriter();
    reply.error(textOf(error) ?? INTERNAL);
    session.outlet.answerLater(reply.take());
    session.isClosing = true;
    session.goOn();
  }
}
