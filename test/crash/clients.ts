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
  // Each begins at another node.
  const from = (first: number): { readonly address: string } | { readonly addresses: readonly string[] } =>
    typeof where === 'number'
      ? { address: `127.0.0.1:${where}` }
      : { addresses: [...where, ...where].slice(first % where.length).slice(0, where.length) };
  const reader = createClient({ ...from(0), deadlineMs: 60_000 });
  const writers = Array.from({ length: WRITERS }, (_, index) =>
    createClient({ ...from(index), retries: 0, deadlineMs }),
  );
  onTestFinished(() => {
    for (const client of [reader, ...writers]) client.close();
  });
  return { reader, writers };
}
