/**
 * How compressed requests are inflated: in pieces, so that a small message that would become a huge one is stopped at
 * the limit, and what it has become by then counts as memory of its call.
 *
 * Replies are never compressed. Every client library asks for it by default, most values do not shrink by much, and
 * it would cost the one thread more than all the rest of a call.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { Code, ConnectError } from '@connectrpc/connect';
import type { Compression } from '@connectrpc/connect/protocol';
import { tooLongError } from '../calls/call-error.ts';
import { isUnforeseen } from '../calls/outcome.ts';
import { toConnectError } from './connect-error.ts';

/** Who a compressed message is for. */
export interface Inflating {
  /** Told of the room that the message takes, piece by piece; throws when there is none. */
  charge(bytes: number): void;
  /** Told of the whole message; gives what Connect is to read, and rejects when it is none. */
  check(message: Uint8Array): Promise<Uint8Array>;
}

/** The call whose request is being read: Connect asks for a message to be inflated without telling for whom. */
export const inflatingFor = new AsyncLocalStorage<Inflating>();

export const requestCompressions: Compression[] = [
  requestCompression('gzip', createGunzip),
  requestCompression('br', createBrotliDecompress),
];

/** Above every length, so that no reply is compressed. */
export const replyCompressMinBytes = Number.MAX_SAFE_INTEGER;

function requestCompression(name: string, createStream: () => Transform): Compression {
  return {
    name,
    compress: () => Promise.reject(new Error('broken invariant: replies are not compressed')),
    decompress: (bytes, bytesMax) => inflate(createStream(), bytes, bytesMax),
  };
}

async function inflate(
  stream: Transform,
  bytes: Uint8Array,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (bytes.length === 0) return new Uint8Array(0);
  const owner = inflatingFor.getStore();
  const pieces: Buffer<ArrayBuffer>[] = [];
  let length = 0;
  stream.end(bytes);
  try {
    for await (const piece of stream as AsyncIterable<Buffer<ArrayBuffer>>) {
      length += piece.length;
      if (length > bytesMax) {
        throw tooLongError(bytesMax, ' when decompressed');
      }
      owner?.charge(piece.length);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof ConnectError || !isUnforeseen(error)) throw toConnectError(error);
    throw new ConnectError(
      'the request message can not be decompressed',
      Code.InvalidArgument,
      undefined,
      [],
      error,
    );
  }
  const message = Buffer.concat(pieces, length);
  try {
    const checked = await owner?.check(message);
    return checked === undefined || checked === message ? message : new Uint8Array(checked);
  } catch (error) {
    throw toConnectError(error);
  }
}
