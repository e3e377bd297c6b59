/**
 * The writer of a cluster hands over to the node that an operator has named:
 *
 * 1. It waits until that node has said that it holds all that was there when this was asked for: it says so every second.
 * 2. It hands over, as when it is stopped, and names the node in the shared log, to which the others leave the place for a while.
 * 3. It goes on as a follower, and so learns who has taken over.
 */
import { type Clock, systemClock } from '../../clock.ts';
import { cluster as limits } from '../../limits.ts';
import type { ServedNode } from './service-parts.ts';
import { CallError } from '../calls/call-error.ts';

export interface NamedHandoverParts {
  /** Throws while the node is being opened. */
  readonly node: () => ServedNode;
  /** The address of a node, as it reports itself. */
  readonly to: string;
  /** Aborted when the answer is not waited for any more; what was begun goes on. */
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** Resolves when the node is the writer. Rejects with `notHandedOver`, with `notWriter`, and with the reason of the signal. */
export async function handOverTo({
  node,
  to,
  signal,
  clock = systemClock,
}: NamedHandoverParts): Promise<void> {
  const pause = (): Promise<void> =>
    new Promise((resolve) => clock.setTimer(limits.handoverLookMs, () => resolve()));
  const { node: writer } = node();
  const { epoch, role } = writer.status();
  if (role === 'writer') await untilCaughtUp(node(), to, signal, clock, pause);
  await writer.handOver(to);

  const endMs = clock.monotonicMs() + limits.takenOverMsMax;
  while (clock.monotonicMs() < endMs) {
    const taken = takenOver(node, epoch);
    if (taken === to) return;
    if (taken !== undefined)
      throw notHandedOver(
        `the node at ${to} has not taken over in time; the writer is the one at ${taken} now`,
      );
    await pause();
    signal.throwIfAborted();
  }
  throw notHandedOver(
    `this node has handed over, and does not know of a writer after ${limits.takenOverMsMax} ms: another node takes over when it has heard of none for the time of --failover-after; kelp cluster status tells which`,
  );
}

async function untilCaughtUp(
  { node, address }: ServedNode,
  to: string,
  signal: AbortSignal,
  clock: Clock,
  pause: () => Promise<void>,
): Promise<void> {
  if (to === address) throw notHandedOver(`the node at ${to} is the writer already`);
  const { position: wanted } = node.status();
  const endMs = clock.monotonicMs() + limits.caughtUpMsMax;
  for (;;) {
    const { nodes, role } = node.status();
    // It says so itself as it hands over.
    if (role !== 'writer') return;
    const report = nodes.find((each) => each.address === to);
    if (report === undefined) {
      const others = nodes.flatMap((each) => (each.address === address ? [] : [each.address]));
      const known = others.length === 0 ? 'there is no other node' : `the others are ${others.join(', ')}`;
      throw notHandedOver(`the writer knows no node at ${to}: ${known}; nothing was changed`);
    }
    if (report.position >= wanted) return;
    if (clock.monotonicMs() >= endMs)
      throw notHandedOver(
        `the node at ${to} is behind, or does not answer: it was at batch ${report.position} when it was heard of last, and is to be at ${wanted}; nothing was changed`,
      );
    await pause();
    signal.throwIfAborted();
  }
}

/** @returns the writer of a later epoch; `undefined`: there is none, or this node does not know yet. */
function takenOver(node: () => ServedNode, epochBefore: number): string | undefined {
  try {
    const { epoch, writerAddress } = node().node.status();
    return epoch > epochBefore && writerAddress !== '' ? writerAddress : undefined;
  } catch (error) {
    // It is being opened as a follower.
    if (error instanceof CallError && error.code === 'recovering') return undefined;
    throw error;
  }
}

function notHandedOver(message: string): CallError {
  return new CallError('notHandedOver', message);
}
