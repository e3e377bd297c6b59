/**
 * A process that holds many connections to a Redis door open, and does nothing with them until it is told: one process may not have
 * enough files for both ends of ten thousand.
 *
 * Started with the port and the number of connections it says `open` once all are; told a key and its value, it asks for the key
 * on each connection and says how many were answered with the value.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface CrowdOrder {
  readonly key: string;
  readonly value: string;
}

const AT_ONCE = 200;

const [port, count] = process.argv.slice(2).map(Number);
const sockets: Socket[] = [];
while (sockets.length < (count ?? 0)) {
  const batch = Array.from({ length: Math.min(AT_ONCE, (count ?? 0) - sockets.length) }, async () => {
    const socket = connect(port ?? 0, '127.0.0.1');
    await once(socket, 'connect');
    // One that the server cuts shows in what is answered.
    socket.on('error', () => undefined);
    return socket;
  });
  sockets.push(...(await Promise.all(batch)));
}
process.on('message', ({ key, value }: CrowdOrder) => {
  const expected = `$${value.length}\r\n${value}\r\n`;
  void Promise.all(sockets.map((socket) => answer(socket, `GET ${key}\r\n`))).then((answers) => {
    process.send?.(answers.filter((each) => each === expected).length);
  });
});
process.on('disconnect', () => process.exit());
process.send?.('open');

/** The bytes that come next; none from a connection that was closed. */
function answer(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
    socket.once('close', () => resolve(''));
    if (socket.closed) resolve('');
    socket.write(request);
  });
}
