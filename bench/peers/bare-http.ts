/** Node's own `http` server that answers every request by the same bytes: what a server of HTTP/1.1 costs that does nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { CaseContext } from '../bench-case.ts';
import { ChildServer } from '../load/child-server.ts';

/** Starts one in a process of its own; its `ready` is `HOST:PORT`. */
export async function startBareHttp(context: CaseContext, bodyBytes: number): Promise<ChildServer> {
  const server = await ChildServer.start(context, {
    command: process.execPath,
    args: [fileURLToPath(import.meta.url), String(bodyBytes)],
    findReady: (line) => /^listening at (.*)$/.exec(line)?.[1],
  });
  if (server === undefined) throw new Error(`${process.execPath} can not be run`);
  return server;
}

function serve(bodyBytes: number): void {
  // As bytes it would take a tenth more.
  const body = 'v'.repeat(bodyBytes);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(bodyBytes) };
  const server = createServer((_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  });
  server.listen(0, '127.0.0.1', () => {
    console.log(`listening at 127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(Number(process.argv[2]));
