/** Far more open streams than a server is made for. */
import { readFile } from 'node:fs/promises';
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { createClient } from '../../../src/client/client.ts';
import { ServerProcess } from '../../crash/server-process.ts';
import { openSession, post, replyOf } from '../../support/bare-http2.ts';
import { temporaryDirectory } from '../../support/test-server.ts';

const SESSIONS = 20;
const STREAMS_PER_SESSION = 500;
const RESIDENT_BYTES_MAX = 1024 * 1024 * 1024;

test(
  '10,000 streams that send half a request are answered, and the server goes on',
  { timeout: 120_000 },
  async () => {
    const flags = ['--request-timeout=3s'];
    const server = await ServerProcess.start({ dataDir: await temporaryDirectory(), flags });
    const codes = new Map<string, number>();
    const replies: Promise<void>[] = [];
    for (let index = 0; index < SESSIONS; index++) {
      const session = await openSession(`http://${server.address}`);
      for (let count = 0; count < STREAMS_PER_SESSION; count++) {
        const stream = post(session, '/kelp.v1.KvService/Put', 'application/grpc');
        // A message of 100 bytes is announced, and never comes.
        stream.write(Buffer.from([0, 0, 0, 0, 100, 10]));
        replies.push(
          replyOf(stream).then(({ headers }) => {
            const code = String(headers['grpc-status']);
            codes.set(code, (codes.get(code) ?? 0) + 1);
          }),
        );
      }
    }
    await Promise.all(replies);

    expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(SESSIONS * STREAMS_PER_SESSION);
    const expected = [status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED].map(String);
    expect([...codes.keys()].filter((code) => !expected.includes(code))).toEqual([]);
    expect(await residentBytesMax(server.pid)).toBeLessThan(RESIDENT_BYTES_MAX);
    const client = createClient({ address: server.address });
    expect(await client.put('a', 'b')).toMatchObject({ revision: 1 });
    client.close();
  },
);

/** The most that the process has had in memory. */
async function residentBytesMax(processId: number): Promise<number> {
  const text = await readFile(`/proc/${processId}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1]) * 1024;
}
