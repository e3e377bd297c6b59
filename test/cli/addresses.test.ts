/** `--address` with several servers of one cluster, of which some are gone. */
import { describe, expect, test } from 'vitest';
import { ClusterFront } from '../client/support/cluster-front.ts';
import { freePort } from '../support/free-port.ts';
import { startTestServer } from '../support/test-server.ts';
import { Kelp } from './kelp.ts';

async function cluster(): Promise<{ fronts: ClusterFront[]; list: string }> {
  const { port } = await startTestServer();
  const fronts = await Promise.all([0, 1, 2].map(() => ClusterFront.before(port)));
  return { fronts, list: fronts.map(({ address }) => address).join(',') };
}

describe('with several addresses', () => {
  test('a command is served by the one that is there', async () => {
    const { fronts, list } = await cluster();
    await fronts[0]?.die();
    await fronts[2]?.die();
    const kelp = new Kelp('127.0.0.1:1');
    for (let times = 0; times < 5; times++) {
      expect(await kelp.run(['put', 'a', String(times), '--address', list])).toMatchObject({ code: 0 });
      expect(await kelp.run(['get', 'a', '--address', list])).toMatchObject({ stdout: String(times) });
    }
    expect(fronts.map(({ connectCount }) => connectCount)).toEqual([0, 10, 0]);
  });

  test('of the environment, too; the shell goes on when its server dies', async () => {
    const { fronts, list } = await cluster();
    const kelp = new Kelp(list);
    let isFirst = true;
    let died = Promise.resolve();
    const outcome = await kelp.run(['shell'], {
      stdin: 'SET a 1\nGET a\nSET a 2\nGET a\n',
      onOutput: () => {
        if (isFirst) died = fronts.find(({ connectCount }) => connectCount > 0)?.die() ?? died;
        isFirst = false;
      },
    });
    await died;
    expect(outcome.stdout).toMatch(/"?1"?[^]*"?2"?/);
  });

  test('it waits for one that takes over', async () => {
    const { fronts } = await cluster();
    const [gone] = fronts;
    await gone?.die();
    // Its connections end at once.
    const useless = await ClusterFront.before(await freePort());
    const list = `${gone?.address},${useless.address}`;
    const command = new Kelp(list).run(['put', 'a', '1', '--timeout', '1m']);
    await expect.poll(() => useless.connectCount, { timeout: 20_000 }).toBeGreaterThan(3);
    await gone?.rise();
    expect(await command).toMatchObject({ code: 0, stdout: 'revision 1\n' });
  }, 30_000);

  test('and none of them there, the failure names one', async () => {
    const { fronts, list } = await cluster();
    await Promise.all(fronts.map((front) => front.die()));
    const { code, stderr } = await new Kelp(list).run(['get', 'a', '--timeout', '300ms']);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/can't reach the server at http:\/\/127\.0\.0\.1:\d+: connection refused/);
  });
});

test.each([
  ['a,a:7379', 'addresses: http://a:7379 is there twice'],
  ['a,', 'address is "", but it can not be read'],
  ['https://a,http://b', 'TLS is asked for, but http:// is without'],
  ['a,unix:', 'address is "unix:", but it'],
  ['unix:/nowhere/a,b', "can't reach the server at unix:/nowhere/a,b"],
])('%s: %s', async (list, message) => {
  const { code, stderr } = await new Kelp(list).run(['get', 'a']);
  expect(stderr).toContain(message);
  expect(code).not.toBe(0);
});

test('a login is not sent to one of several without TLS', async () => {
  const { code, stderr } = await new Kelp('localhost,kelp.example').run(['get', 'a', '--user', 'ada']);
  expect(stderr).toContain('the login would go to http://kelp.example:7379 in plain text');
  expect(code).toBe(2);
});
