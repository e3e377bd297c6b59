/** Tells HTTP/2 with prior knowledge from HTTP/1.1 by what a client sends first. */
import type { Socket } from 'node:net';
import { systemClock } from '../clock.ts';

/** What every HTTP/2 client sends first; no method of HTTP/1.1 begins like it. RFC 9113, section 3.4. */
const PREFACE_START = Buffer.from('PRI * HTTP/2.0');

/**
 * Waits for enough bytes to tell, and leaves them in the socket for whoever reads it next.
 * @returns `undefined` when the connection ended, or was closed because it sent too little for too long.
 */
export function speaksHttp2(socket: Socket, timeoutMs: number): Promise<boolean | undefined> {
  const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
  let seen: Buffer = Buffer.alloc(0);
  const timer = systemClock.setTimer(timeoutMs, end);
  socket.on('readable', onReadable).on('end', end).on('close', end).on('error', end);
  return promise;

  function onReadable(): void {
    for (let chunk = read(); chunk !== null; chunk = read()) seen = Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, PREFACE_START.length);
    const isLikePreface = seen.subarray(0, compared).equals(PREFACE_START.subarray(0, compared));
    if (isLikePreface && compared < PREFACE_START.length) return;
    stop();
    socket.unshift(seen);
    resolve(isLikePreface);
  }
  function read(): Buffer | null {
    return socket.read() as Buffer | null;
  }
  function end(): void {
    stop();
    socket.destroy();
    resolve(undefined);
  }
  function stop(): void {
    timer.cancel();
    socket.off('readable', onReadable).off('end', end).off('close', end).off('error', end);
  }
}
