/** Loaded first by a server: while it is told so, flushes of files wait, as on a disk that takes its time, or fail, as on one that is broken. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Flush = typeof fs.fdatasync;

export interface HoldOrder {
  readonly flushes: 'pass' | 'wait' | 'fail';
  /** It counts as carried out once a flush waits. */
  readonly untilOneWaits?: boolean;
}

let flushes: HoldOrder['flushes'] = 'pass';
const waiting: (() => void)[] = [];
let onWaiting = (): void => undefined;
const flush = fs.fdatasync;
const heldFlush = (descriptor: number, done: Parameters<Flush>[1]): void => {
  switch (flushes) {
    case 'pass':
      flush(descriptor, done);
      break;
    case 'wait':
      waiting.push(() => flush(descriptor, done));
      onWaiting();
      break;
    case 'fail':
      process.nextTick(() => done(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })));
      break;
  }
};
fs.fdatasync = Object.assign(heldFlush, { __promisify__: flush.__promisify__ });
syncBuiltinESMExports();

process.on('message', (order: HoldOrder) => {
  flushes = order.flushes;
  if (flushes === 'pass') for (const each of waiting.splice(0)) each();
  const tell = (): void => void process.send?.('done');
  if (order.untilOneWaits !== true || waiting.length > 0) {
    tell();
    return;
  }
  onWaiting = () => {
    onWaiting = () => undefined;
    tell();
  };
});
// To be told something is no reason to stay.
process.channel?.unref();
