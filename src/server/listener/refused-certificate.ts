/** Tells a client why its certificate is refused, in place of an answer to its first request, and closes the connection. */
import type { Socket } from 'node:net';
import { grpcCode } from '../../grpc-code.ts';
import { CHALLENGE } from '../access/credentials.ts';
import type { Http2Limits } from './http2-port.ts';
import { Http2Refusal } from './http2-refusal.ts';
import { refuse } from './wrong-protocol.ts';

export function refuseCertificate(socket: Socket, isHttp2: boolean, text: string, limits: Http2Limits): void {
  if (isHttp2) {
    new Http2Refusal(limits).turnAway(socket, {
      text,
      status: '401',
      grpcCode: grpcCode.Unauthenticated,
      field: ['www-authenticate', CHALLENGE],
    });
  } else {
    refuse(socket, '401 Unauthorized', text, `www-authenticate: ${CHALLENGE}`);
  }
}
