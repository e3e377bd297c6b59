/**
 * What becomes of bytes on a connection of HTTP/1.1 that are no request. Left to itself Node answers by a status without a word;
 * most who see it have a byte in their path that is to be percent-encoded, or more in the head than there is room for.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { limitName } from '../../limits.ts';
import { refuse } from './wrong-protocol.ts';

/**
 * Answers and closes the connection.
 * @param last the response of the last request, if there was one: nothing may be written into the middle of it.
 */
export function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Socket,
  last: ServerResponse | undefined,
  headerBytesMax: number,
): void {
  // One that waits for those before it has no socket yet.
  const isDue = last !== undefined && !last.headersSent && last.socket === socket;
  const mayAnswer = last === undefined || last.closed || isDue;
  if (!mayAnswer || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy(error);
    return;
  }
  const [status, text] = answerTo(error, headerBytesMax);
  refuse(socket, status, text);
}

function answerTo(
  { code, message }: NodeJS.ErrnoException,
  headerBytesMax: number,
): readonly [string, string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        '431 Request Header Fields Too Large',
        `the head of the request is longer than ${headerBytesMax} bytes (${limitName('headerBytesMax')})`,
      ];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', 'the request took too long to come'];
    case 'HPE_INVALID_URL':
      return [
        '400 Bad Request',
        'the target of the request has a byte that is not visible ASCII; write it percent-encoded, as in %C3%BC',
      ];
    default:
      return ['400 Bad Request', `this is no request of HTTP/1.1: ${message}`];
  }
}
