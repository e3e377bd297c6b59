/**
 * Requests of HTTP/1.1 whose client waits to be told before it sends the body (`Expect: 100-continue`, RFC 9110, section
 * 10.1.1). It is told when the body is read, and not when the request is refused without it: so a file that is too long is not
 * sent. Left to itself Node tells it at once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request.read.bind(request);
  // Also for a client that did not wait: Node would close a connection on which that was not said.
  request.read = (size?: number): unknown => {
    request.read = read;
    // A body may also be read to be dropped, once the request is answered.
    if (!response.headersSent) response.writeContinue();
    return read(size);
  };
}
