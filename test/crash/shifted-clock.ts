/**
 * Loaded first by a server: shifts its wall clock by `offsetMs` of its own address and then by what it is told, and
 * leaves the monotonic clock alone.
 */

const realNowMs = Date.now.bind(Date);
let offsetMs = Number(new URL(import.meta.url).searchParams.get('offsetMs'));
Date.now = () => realNowMs() + offsetMs;

export interface ShiftOrder {
  /** How far the wall clock is ahead of the true time; below 0: behind. */
  readonly offsetMs: number;
}

process.on('message', (order: ShiftOrder) => {
  offsetMs = order.offsetMs;
  process.send?.('done');
});
// To be told something is no reason to stay.
process.channel?.unref();
