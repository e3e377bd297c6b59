/** The replies of the interfaces for scripts: JSON to the letter, without a line end; an error is `{"error": "..."}`. */
import type { HeaderList } from '../http/http-message.ts';
import type { Problem } from '../rest/problem.ts';
import type { RestCall } from '../rest/rest-call.ts';

export const JSON_HEADERS: HeaderList = ['content-type', 'application/json', 'cache-control', 'no-store'];

export function sendBody(call: RestCall, status: number, body: unknown, headers: HeaderList = []): void {
  call.send(status, [...JSON_HEADERS, ...headers], JSON.stringify(body));
}

export function sendError(call: RestCall, { status, detail, headers }: Problem): void {
  // As for all of REST: what still comes of a request that was too slow is not waited for.
  const isOver = status === 408 && call.request.httpVersion.startsWith('1.');
  sendBody(call, status, { error: detail }, [...headers, ...(isOver ? ['connection', 'close'] : [])]);
}
