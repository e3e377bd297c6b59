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

/** Clients that are closed when the test ends. */
export function openClients(port: number, deadlineMs = 60_000): Clients {
  const address = `127.0.0.1:${port}`;
  const reader = createClient({ address, deadlineMs: 60_000 });
  const writers = Array.from({ length: WRITERS }, () => createClient({ address, retries: 0, deadlineMs }));
  onTestFinished(() => {
    for (const client of [reader, ...writers]) client.close();
  });
  return { reader, writers };
}
