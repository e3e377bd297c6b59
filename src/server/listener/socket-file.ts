/**
 * The file of a socket that a server listens at. Its end takes the file away; a process that was killed leaves it, and then
 * there is a file at which nothing listens.
 */
import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** Takes the file of a socket away at which nothing listens. Rejects when something does, or it is another file. */
export async function removeUnusedSocket(path: string): Promise<void> {
  if (!(await lstat(path)).isSocket()) throw new Error('there is a file that is no socket');
  if (await isListenedAt(path)) throw new Error('another process listens there');
  await unlink(path);
}

function isListenedAt(path: string): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const socket = connect({ path });
  socket.once('connect', () => resolve(true));
  socket.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'ECONNREFUSED' ? resolve(false) : reject(error),
  );
  return promise.finally(() => socket.destroy());
}
