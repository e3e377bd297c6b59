/** Tells TLS, HTTP/2 with prior knowledge and HTTP/1.1 apart by what a client sends first. */
import type { Socket } from 'node:net';
import { systemClock } from '../../clock.ts';

/** Whatever is neither of the others counts as HTTP/1.1, whose parser refuses what is not. */
export type Protocol = 'tls' | 'http2' | 'http1';

/** What every HTTP/2 client sends first; no method of HTTP/1.1 begins like it. RFC 9113, section 3.4. */
const PREFACE_START = Buffer.from('PRI * HTTP/2.0');

/** A record of a TLS handshake, which is what a client begins with. RFC 8446, section 5.1. */
const TLS_HANDSHAKE = 22;

/**
 * Waits for enough bytes to tell, and leaves them in the socket for what reads it next.
 * @returns `undefined` when the connection ended, or was closed because it sent too little for too long.
 */
export function sniffProtocol(socket: Socket, timeoutMs: number): Promise<Protocol | undefined> {
  const { promise, resolve } = Promise.withResolvers<Protocol | undefined>();
  let seen: Buffer = Buffer.alloc(0);
  const timer = systemClock.setTimer(timeoutMs, end);
  socket.on('readable', onReadable).on('end', end).on('close', end).on('error', end);
  return promise;

  function onReadable(): void {
    for (let chunk = read(); chunk !== null; chunk = read()) seen = Buffer.concat([seen, chunk]);
    const protocol = protocolOf(seen);
    if (protocol === undefined) return;
    stop();
    socket.unshift(seen);
    resolve(protocol);
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

/** `undefined` while there are too few bytes to tell. */
function protocolOf(seen: Buffer): Protocol | undefined {
  if (seen.length === 0) return undefined;
  if (seen[0] === TLS_HANDSHAKE) return 'tls';
  const compared = Math.min(seen.length, PREFACE_START.length);
  if (!seen.subarray(0, compared).equals(PREFACE_START.subarray(0, compared))) return 'http1';
  return compared === PREFACE_START.length ? 'http2' : undefined;
}
