/** The clients of a test that kills servers: one that reads, and several that write and are told of each failure. */
import { onTestFinished } from 'vitest';
import { createClient, type KelpClient } from '../../src/client/client.ts';

export interface Clients {
  /** Repeats what is safe to repeat, as clients do by default. */
  readonly reader: KelpClient;
  /** Connections of their own that repeat nothing, so that each failure is told as it is. */
  readonly writers: readonly KelpClient[];
}

const WRITERS = 4;

/**
 * Clients that are closed when the test ends.
 * @param where the port of a server, or the addresses of the nodes of a cluster.
 */
export function openClients(where: number | readonly string[], deadlineMs = 60_000): Clients {
  const server = typeof where === 'number' ? { address: `127.0.0.1:${where}` } : { addresses: where };
  const reader = createClient({ ...server, deadlineMs: 60_000 });
  const writers = Array.from({ length: WRITERS }, () => createClient({ ...server, retries: 0, deadlineMs }));
  onTestFinished(() => {
    for (const client of [reader, ...writers]) client.close();
  });
  return { reader, writers };
}
