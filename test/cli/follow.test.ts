/** `kelp serve --follow` in a process of its own: killed, and its server killed, while writes and a watch go on. */
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { ServerProcess } from '../crash/server-process.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryDirectory } from '../support/test-server.ts';

const KILLS = 2;
const PUTS = 50;

test('misses nothing when it is killed, and when its server is', { timeout: 240_000 }, async () => {
  const first = { port: await freePort(), dataDir: await temporaryDirectory() };
  const second = {
    port: await freePort(),
    dataDir: await temporaryDirectory(),
    flags: [`--follow=127.0.0.1:${first.port}`],
  };
  let server = await ServerProcess.start(first);
  let follower = await ServerProcess.start(second);
  const [writer, reader] = [first, second].map(({ port }) =>
    createClient({ address: `127.0.0.1:${port}`, deadlineMs: 60_000 }),
  ) as [ReturnType<typeof createClient>, ReturnType<typeof createClient>];
  onTestFinished(() => {
    writer.close();
    reader.close();
  });
  const seen: string[] = [];
  const wanted = 2 * KILLS * PUTS;
  const watching = (async () => {
    for await (const message of reader.watch({ ranges: [{ key: 'a' }], startRevision: 1 })) {
      if (message.kind !== 'events') continue;
      for (const event of message.events) if (event.type === 'put') seen.push(event.entry.text());
      if (seen.length === wanted) return;
    }
  })();
  let count = 0;
  const putAll = async (): Promise<void> => {
    for (let put = 0; put < PUTS; put++) await writer.put('a', `${count++}`);
  };
  for (let kill = 0; kill < KILLS; kill++) {
    await Promise.all([
      putAll(),
      (async () => {
        await follower.end('SIGKILL');
        follower = await ServerProcess.start(second);
      })(),
    ]);
    const { id: leaseId } = await writer.leases.grant(600_000);
    await server.end('SIGKILL');
    server = await ServerProcess.start(first);
    await putAll();
    // Behind what it has it asks for what comes next, so both have the same: also what has no revision.
    expect((await reader.get('a')).entry).toMatchObject({ modRevision: count });
    expect(await reader.leases.get(leaseId)).toMatchObject({ leaseId });
  }
  await watching;
  expect(seen).toEqual(Array.from({ length: wanted }, (_, index) => `${index}`));
});
