/** A worker of BullMQ in a process of its own, which begins one job and never ends it. Arguments: the port and the queue. */
import { Worker } from 'bullmq';

const [, , port, name = ''] = process.argv;

const worker = new Worker(name, () => new Promise<never>(() => undefined), {
  connection: { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null, retryStrategy: () => 50 },
  lockDuration: 1000,
  // Checks are so far apart as the last worker says that made one.
  skipStalledCheck: true,
});
// The server may be away.
worker.on('error', () => undefined);
