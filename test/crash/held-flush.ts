/** Loaded first by a server: while it is told so, flushes of files wait, as on a disk that takes its time. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Flush = typeof fs.fdatasync;

export interface HoldOrder {
  readonly isHeld: boolean;
}

let isHeld = false;
const waiting: (() => void)[] = [];
const flush = fs.fdatasync;
const heldFlush = (descriptor: number, done: Parameters<Flush>[1]): void => {
  if (isHeld) waiting.push(() => flush(descriptor, done));
  else flush(descriptor, done);
};
fs.fdatasync = Object.assign(heldFlush, { __promisify__: flush.__promisify__ });
syncBuiltinESMExports();

process.on('message', (order: HoldOrder) => {
  isHeld = order.isHeld;
  if (!isHeld) for (const each of waiting.splice(0)) each();
  process.send?.('done');
});
// To be told something is no reason to stay.
process.channel?.unref();
