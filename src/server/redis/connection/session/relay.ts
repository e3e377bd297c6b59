/**
 * `Relay`: a connection that a follower has passed on to the writer. Bytes go both ways as they are; each side is read only as fast as
 * the other one takes them. When either side is closed, the other one is, once what has come is sent; and both are at once when there
 * is another writer.
 */
import type { Socket } from 'node:net';
import type { Looking } from '../../../cluster/writer-watch.ts';
import type { ClusterDoor } from '../../cluster/cluster-door.ts';
import type { Outlet } from './outlet.ts';
import type { Passing, SessionState } from './session-state.ts';

export class Relay implements Passing, Looking {
  readonly #address: string;
  readonly #session: SessionState & { readonly outlet: Outlet };
  readonly #cluster: ClusterDoor;
  readonly #writer: Socket;

  constructor(
    session: SessionState & { readonly outlet: Outlet },
    cluster: ClusterDoor,
    address: string,
    writer: Socket,
  ) {
    this.#session = session;
    this.#cluster = cluster;
    this.#address = address;
    this.#writer = writer;
  }

  /** @param waiting what the client has sent that is not answered. */
  begin(waiting: Buffer): void {
    const writer = this.#writer;
    this.#cluster.watch.add(this);
    this.#cluster.relayBegan();
    writer.on('data', this.#fromWriter);
    writer.on('drain', () => this.#session.outlet.steerReading());
    writer.on('error', () => undefined);
    writer.on('end', this.#ended);
    writer.on('close', this.#ended);
    if (waiting.length > 0) writer.write(waiting);
    writer.resume();
  }

  /** Whether nothing more is to be read of the client. */
  get isFull(): boolean {
    return this.#writer.writableNeedDrain;
  }

  /** What the client sends. */
  send(chunk: Buffer): void {
    this.#writer.write(chunk);
    if (this.isFull) this.#session.outlet.steerReading();
  }

  /** The client has taken what waited. */
  drained(): void {
    if (!this.#session.outlet.hasUnread) this.#writer.resume();
  }

  /** The client sends nothing more; what it has sent is answered. */
  end(): void {
    this.#writer.end();
  }

  look(): void {
    const { isFollower, writerAddress } = this.#cluster;
    if (!isFollower || writerAddress !== this.#address) this.#session.close();
  }

  /** The connection is closed. */
  close(): void {
    this.#cluster.watch.remove(this);
    this.#cluster.relayEnded();
    this.#writer.destroy();
  }

  readonly #fromWriter = (chunk: Buffer): void => {
    const { outlet } = this.#session;
    outlet.relay(chunk);
    if (outlet.hasUnread) this.#writer.pause();
  };

  readonly #ended = (): void => {
    const session = this.#session;
    if (session.isClosed) return;
    session.isClosing = true;
    session.outlet.endWhenSent();
  };
}
