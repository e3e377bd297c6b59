/**
 * `Passage`: a connection at a follower on its way to the writer. The command that has asked for it comes first there; its client waits.
 *
 * While there is no writer, or the one that is known is not reached, it is tried again: another node takes over in a moment, and
 * clients take an error for more than that moment (some give up what they had subscribed to). When the node itself has become the
 * writer the command runs here. After a while the command is told so, and the connection closed: then its client tries again.
 */
import type { Socket } from 'node:net';
import { preludeOf } from '../../cluster/prelude.ts';
import type { Looking } from '../../../cluster/writer-watch.ts';
import type { ClusterDoor } from '../../cluster/cluster-door.ts';
import { WriterUnreachableError } from '../../cluster/connect-writer.ts';
import { clusterDown, INTERNAL, textOf } from '../../replies/errors.ts';
import { ReplyWriter } from '../../protocol/reply-writer.ts';
import type { ConnectionSession } from './connection-session.ts';
import { Relay } from './relay.ts';

interface Attempt {
  readonly address: string;
  readonly cancel: AbortController;
}

export class Passage implements Looking {
  readonly #session: ConnectionSession;
  readonly #cluster: ClusterDoor;
  /** `undefined`: too many wait; it is tried once. */
  readonly #untilMs: number | undefined;
  #attempt: Attempt | undefined;
  /** Why the last one has failed. */
  #failure: WriterUnreachableError | undefined;
  #isOver = false;

  /** The session is busy, or will be in this turn, with its parser before the command. */
  static begin(session: ConnectionSession, cluster: ClusterDoor): void {
    const passage = new Passage(session, cluster);
    session.onClose(() => passage.#end());
    cluster.watch.add(passage);
    passage.#tryOn();
  }

  private constructor(session: ConnectionSession, cluster: ClusterDoor) {
    this.#session = session;
    this.#cluster = cluster;
    this.#untilMs = cluster.watch.beginWait();
  }

  look(): void {
    const session = this.#session;
    if (!this.#cluster.isFollower || session.isClosing) {
      this.#end();
      session.goOn();
    } else if (this.#untilMs === undefined || this.#cluster.watch.isOver(this.#untilMs)) {
      const { writerAddress } = this.#cluster;
      if (writerAddress !== '') this.#cluster.unreachable(writerAddress, this.#failure);
      this.#cluster.notReached();
      this.#refuse(clusterDown());
    } else this.#tryOn();
  }

  #tryOn(): void {
    const address = this.#cluster.writerAddress;
    if (this.#attempt !== undefined) {
      if (this.#attempt.address === address) return;
      this.#attempt.cancel.abort();
      this.#attempt = undefined;
    }
    if (address !== '') void this.#connect({ address, cancel: new AbortController() });
  }

  async #connect(attempt: Attempt): Promise<void> {
    const session = this.#session;
    const { address, cancel } = attempt;
    this.#attempt = attempt;
    let writer: Socket;
    try {
      const introduction = this.#cluster.introduction(session);
      const prelude = preludeOf(session, session.shown);
      writer = await this.#cluster.connect(address, introduction, prelude, cancel.signal);
    } catch (error) {
      if (this.#attempt !== attempt) return;
      this.#attempt = undefined;
      if (error instanceof WriterUnreachableError) this.#failure = error;
      else this.#refuse(error);
      return;
    }
    if (this.#attempt !== attempt || session.isClosing) {
      writer.destroy();
      return;
    }
    this.#attempt = undefined;
    this.#end();
    session.relayTo(new Relay(session, this.#cluster, address, writer));
  }

  #refuse(error: unknown): void {
    const session = this.#session;
    this.#end();
    const reply = new ReplyWriter();
    reply.error(textOf(error) ?? INTERNAL);
    session.outlet.answerLater(reply.take());
    session.isClosing = true;
    session.goOn();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cluster.watch.remove(this);
    if (this.#untilMs !== undefined) this.#cluster.watch.endWait();
    this.#attempt?.cancel.abort();
    this.#attempt = undefined;
  }
}
