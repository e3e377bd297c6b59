import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { ServerProcess } from '../crash/server-process.ts';
import { ExampleProcess } from '../support/example-process.ts';
import { temporaryDirectory } from '../support/test-server.ts';

test(
  'shows each change once, whole, over a restart of the server and with another store behind the address',
  { timeout: 60_000 },
  async () => {
    const folder = await temporaryDirectory();
    const dataDir = join(folder, 'data');
    let server = await ServerProcess.start({ dataDir });
    const { address, port } = server;
    await write(address, { 'config/theme': 'dark', other: 'not shown' });

    const example = new ExampleProcess('config-watcher', { KELP_ADDRESS: address });
    const shown = (state: object): Promise<void> =>
      example.printed((lines) => lines.at(-1) === JSON.stringify(state));
    await shown({ theme: 'dark' });
    await write(address, { 'config/theme': 'light', 'config/size': '12' });
    await shown({ theme: 'light', size: '12' });

    await server.end('SIGKILL');
    server = await ServerProcess.start({ dataDir, port });
    await write(address, { 'config/size': undefined });
    await shown({ theme: 'light' });

    await server.end('SIGTERM');
    server = await ServerProcess.start({ dataDir: join(folder, 'another'), port });
    await write(address, { 'config/theme': 'none' });
    await shown({ theme: 'none' });

    example.child.kill('SIGINT');
    expect(await example.ended).toBe(0);
    const states = example.lines.map((line) => JSON.parse(line) as unknown);
    expect(states.filter((state) => JSON.stringify(state) !== '{}')).toEqual([
      { theme: 'dark' },
      { size: '12', theme: 'light' },
      { theme: 'light' },
      { theme: 'none' },
    ]);
  },
);

/** Puts and, where there is no value, deletes in one transaction, over a connection of its own. */
async function write(address: string, values: Readonly<Record<string, string | undefined>>): Promise<void> {
  await using client = createClient({ address });
  await client.txn({
    success: Object.entries(values).map(([key, value]) =>
      value === undefined ? { kind: 'delete', key } : { kind: 'put', key, value },
    ),
  });
}
