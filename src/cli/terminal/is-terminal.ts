/** Whether a person types what a stream brings. */
import type { Readable } from 'node:stream';

export function isTerminal(stream: Readable): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}
