/** The server as the first process of a container, for which the system leaves out the usual effect of signals. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { RawConnection } from '../support/raw-connection.ts';
import { temporaryDirectory } from '../support/test-server.ts';

const asFirst = ['--pid', '--fork', '--kill-child'];
const isAllowed = spawnSync('unshare', [...asFirst, 'true']).status === 0;

test.skipIf(!isAllowed)('a second signal ends it at once', async () => {
  const flags = ['--listen=127.0.0.1:0', `--data-dir=${await temporaryDirectory()}`, '--shutdown-timeout=1h'];
  const parent = spawn('unshare', [...asFirst, process.execPath, 'src/cli/main.ts', 'serve', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(parent, 'close');
  onTestFinished(async () => {
    parent.kill('SIGKILL');
    await ended;
  });
  const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
  const logged = async (message: string): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`ended before "${message}"`);
      const line = JSON.parse(value) as Record<string, unknown>;
      if (line['msg'] === message) return line;
    }
  };
  const { address } = await logged('ready');
  const server = Number(readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8'));

  // A call that does not end holds up the stop.
  const port = Number(String(address).split(':').at(-1));
  const connection = await RawConnection.open({ host: '127.0.0.1', port });
  connection.send('POST /kelp.v1.KvService/Get HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n');
  connection.send('Content-Type: application/json\r\nContent-Length: 100\r\n\r\n');
  await connection.until('100 Continue');
  process.kill(server, 'SIGTERM');
  expect(await logged('stopping')).toMatchObject({ calls: 1 });
  // Right after the first it would count as the same signal.
  const again = setInterval(() => {
    // It may be gone before its parent is.
    spawnSync('kill', ['-TERM', String(server)], { stdio: 'ignore' });
  }, 50);
  onTestFinished(() => clearInterval(again));
  expect(await ended).toEqual([143, null]);
});
