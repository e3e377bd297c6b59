/** Writes the reply of a call at the pace at which its client reads. */
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import type { Call } from '../calls/call.ts';
import { grpcHeaders, grpcStatusOf, grpcWebChunk } from '../http/grpc-message.ts';
import type { HttpResponse } from '../http/http-message.ts';

/**
 * Resolves when the last byte is handed over, or the client is gone. Each chunk is asked for when the one before is.
 * @param rest what of the reply is not handed out yet, and held.
 */
export async function writeReply(
  response: HttpResponse,
  call: Call,
  reply: UniversalServerResponse,
  rest?: { readonly heldBytes: number },
): Promise<void> {
  const chunks = reply.body?.[Symbol.asyncIterator]();
  try {
    // The headers wait for the first chunk: a service may set some until then.
    let next = await chunks?.next();
    if (call.isClosed) return;
    response.writeHead(reply.status, grpcHeaders(reply.header));
    const isGrpcWeb = reply.header?.get('content-type')?.startsWith('application/grpc-web') === true;
    while (next !== undefined && next.done !== true) {
      const chunk = isGrpcWeb ? grpcWebChunk(next.value) : next.value;
      // What Connect refuses by itself comes to no interceptor, which would have noted it.
      if (isGrpcWeb) call.outcome ??= grpcStatusOf(chunk);
      if (!call.isStream) call.holdOnly(chunk.length + (rest?.heldBytes ?? 0));
      call.sent(chunk.length);
      if (!response.write(chunk) && !(await isRead(response, call, chunk.length))) return;
      next = await chunks?.next();
    }
    call.outcome ??= grpcStatusOf(reply.trailer);
    if (reply.trailer !== undefined) response.addTrailers(grpcHeaders(reply.trailer));
    response.end();
  } finally {
    // Ends a service that is in the middle of its stream. It may take its time, so it is not waited for.
    chunks?.return?.().catch(() => undefined);
  }
}

/** @returns whether the client reads on; it does not when the call has ended. */
async function isRead(response: HttpResponse, call: Call, bytes: number): Promise<boolean> {
  if (call.isClosed) return false;
  // A method has taken memory for most of it before it was made.
  const charged = call.holdUnread(bytes);
  // It may have been cut for want of memory.
  if (call.isClosed) return false;
  call.setStalled(true);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const onDrain = (): void => resolve(true);
  const onClose = (): void => resolve(false);
  response.once('drain', onDrain).once('close', onClose);
  const isReading = await promise;
  response.off('drain', onDrain).off('close', onClose);
  call.setStalled(false);
  call.release(charged);
  return isReading;
}
