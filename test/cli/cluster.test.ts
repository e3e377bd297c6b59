/** `kelp cluster`, and what other commands tell of a cluster. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StoreError } from '../../src/errors.ts';
import { RealEtcd, hasRealEtcd } from '../server/etcd/support/real-etcd.ts';
import { kelp as runKelp } from '../cluster/real/kelp-command.ts';
import { freePort } from '../support/free-port.ts';
import { StubNodes } from '../support/stub-node.ts';
import { type TestServer, startTestServer } from '../support/test-server.ts';
import { Kelp } from './kelp.ts';

const LOG = 'etcd://127.0.0.1:1/kelp/test';

async function startNode(nodes: StubNodes): Promise<TestServer> {
  return startTestServer({ flags: { log: LOG, advertise: 'one.example:7379' }, nodeParts: nodes.parts });
}

test('reads of the command show what a node has while it can not ask others', async () => {
  const nodes = new StubNodes();
  const kelp = new Kelp((await startNode(nodes)).address);
  Object.assign(nodes.last, { role: 'writer', writerAddress: 'one.example:7379' });
  await kelp.text('put', 'a', '1');
  await kelp.text('hash', 'set', 'h', 'field', '2');
  await kelp.text('list', 'push', 'l', '3');
  await kelp.text('set', 'add', 's', '4');
  await kelp.text('zset', 'add', 'z', '5', 'member');
  await kelp.text('sketch', 'bloom-add', 'b', '6');
  await kelp.text('sketch', 'hll-add', 'u', '7');
  const silent = new StoreError('notWriter', 'the shared log does not answer', { writerAddress: '' });
  nodes.last.readBarrier = () => Promise.reject(silent);
  for (const [shown, ...words] of [
    ['1', 'get', 'a'],
    ['yes', 'exists', 'a'],
    ['a', 'keys', 'a'],
    ['1', 'scan', '--prefix', 'a'],
    ['1', 'scan', '--prefix', 'a', '--count'],
    ['2', 'hash', 'get', 'h', 'field'],
    ['2', 'hash', 'scan', 'h'],
    ['3', 'list', 'range', 'l'],
    ['yes', 'set', 'contains', 's', '4'],
    ['4', 'set', 'members', 's'],
    ['4', 'set', 'union', 's'],
    ['member', 'zset', 'union', 'z'],
    ['5', 'zset', 'score', 'z', 'member'],
    ['0', 'zset', 'rank', 'z', 'member'],
    ['member', 'zset', 'range', 'z'],
    ['1', 'zset', 'count', 'z'],
    ['1', 'sketch', 'hll-count', 'u'],
    ['yes', 'sketch', 'bloom-contains', 'b', '6'],
  ] as const) {
    const refused = await kelp.run([...words]);
    expect(refused.stderr, words.join(' ')).toContain('the shared log does not answer');
    expect(await kelp.text(...words, '--consistency', 'local'), words.join(' ')).toContain(shown);
  }
  const wrong = await kelp.run(['get', 'a', '--consistency', 'LOCALE']);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('linearizable, local');
});

describe('status', () => {
  test('of the writer shows all nodes', async () => {
    const nodes = new StubNodes();
    const kelp = new Kelp((await startNode(nodes)).address);
    Object.assign(nodes.last, { role: 'writer', writerAddress: 'one.example:7379' });
    nodes.last.reports.push({ address: 'two.example:7379', position: 5, snapshotPosition: 0 });

    expect(await kelp.text('cluster', 'status')).toBe(
      [
        'node    one.example:7379, the writer',
        'writer  one.example:7379, epoch 1',
        'log     batch 7 of 9 is here',
        '',
        'NODE              ROLE      BATCH  BEHIND  SNAPSHOT',
        'one.example:7379  writer        7       2         3',
        'two.example:7379  follower      5       4         -',
        '',
      ].join('\n'),
    );
  });

  test('of a follower says who knows more', async () => {
    const nodes = new StubNodes();
    const kelp = new Kelp((await startNode(nodes)).address);
    Object.assign(nodes.last, { writerAddress: 'two.example:7379', lagMs: 2500 });

    const { stdout, stderr } = await kelp.run(['cluster', 'status']);

    expect(stdout).toContain('log     batch 7 of 9 is here, 2.5s behind\n');
    expect(stderr).toContain('kelp cluster status --address two.example:7379');
    const [members] = await kelp.json('cluster', 'status');
    expect(members).toMatchObject({ role: 'follower', address: 'one.example:7379', lagMs: 2500 });
  });

  test('of a follower shows all nodes where the writer is among the addresses', async () => {
    const [followers, writers] = [new StubNodes(), new StubNodes()];
    const [follower, writer] = [await startNode(followers), await startNode(writers)];
    followers.last.writerAddress = writer.address;
    Object.assign(writers.last, { role: 'writer', writerAddress: writer.address });
    writers.last.reports.push({ address: 'two.example:7379', position: 5, snapshotPosition: 0 });

    for (const address of [
      `${follower.address},${writer.address}`,
      `${writer.address},${follower.address}`,
    ]) {
      const { stdout, stderr } = await new Kelp(address).run(['cluster', 'status']);
      expect([stdout, stderr]).toEqual([expect.stringContaining('\ntwo.example:7379  follower'), '']);
    }
    // What the follower knows is told when the writer does not answer.
    await writer.stop();
    const { code, stdout, stderr } = await new Kelp(`${follower.address},${writer.address}`).run([
      'cluster',
      'status',
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('node    one.example:7379, the follower')]);
    expect(stderr).toContain(`kelp cluster status --address ${writer.address}`);
  });

  test('of a server that is alone is refused', async () => {
    const kelp = new Kelp((await startTestServer()).address);

    const { code, stderr } = await kelp.run(['cluster', 'status', '--json']);

    expect(code).toBe(4);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'failed_precondition', reason: 'NOT_CLUSTERED' },
    });
  });
});

test('handover waits for it, and says where the writer is when it is not this one', async () => {
  const nodes = new StubNodes();
  const kelp = new Kelp((await startNode(nodes)).address);
  nodes.last.writerAddress = 'two.example:7379';
  const refused = await kelp.run(['cluster', 'handover']);
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('this node is not the writer')]);
  nodes.last.role = 'writer';

  expect(await kelp.text('cluster', 'handover')).toBe(
    'handed over; another node takes over now, and this one follows it\n',
  );
  expect(nodes.last.handOvers).toBe(1);
});

test('handover to a named node waits until that is the writer, or says why it is not', async () => {
  const nodes = new StubNodes();
  const kelp = new Kelp((await startNode(nodes)).address);
  const [writer, to] = [nodes.last, 'two.example:7379'];
  Object.assign(writer, { role: 'writer', writerAddress: 'one.example:7379' });
  const refused = await kelp.run(['cluster', 'handover', '--to', to]);
  expect([refused.code, refused.stderr]).toEqual([
    4,
    expect.stringContaining(`the writer knows no node at ${to}`),
  ]);
  writer.reports.push({ address: to, position: 7, snapshotPosition: 0 });
  const told = kelp.text('cluster', 'handover', '--to', to);
  Object.assign(await nodes.count(2), { epoch: 2, writerAddress: to });
  expect(await told).toBe(`handed over: the node at ${to} is the writer now\n`);
  expect(writer.successors).toEqual([to]);
});

test('stats, top and the shell tell what a server is in its cluster, and nothing of one that is alone', async () => {
  const nodes = new StubNodes();
  const kelp = new Kelp((await startNode(nodes)).address);
  Object.assign(nodes.last, { writerAddress: 'two.example:7379', lagMs: 2500 });
  const line = 'follower of two.example:7379, epoch 1, 2.5s behind';

  expect(await kelp.text('stats', '--interval', '1ms')).toContain(`cluster      ${line}\n`);
  expect(await kelp.text('top', '--once', '--interval', '1ms')).toContain(`\n${line}\n`);
  expect((await kelp.run(['shell'], { stdin: 'stats\n' })).stdout).toMatch(new RegExp(`cluster +${line}`));
  const alone = new Kelp((await startTestServer()).address);
  expect(await alone.text('stats', '--interval', '1ms')).not.toContain('cluster');
});

test('init waits for an etcd that is not there yet, and says so when it has not come', async () => {
  const log = `etcd://127.0.0.1:${await freePort()}/kelp`;
  await expect(runKelp('cluster', 'init', `--log=${log}`)).rejects.toThrow(
    /ended with 3:[^]*can't reach etcd at .*connection refused/,
  );
});

describe.runIf(hasRealEtcd)('init', () => {
  let etcd: RealEtcd;
  beforeAll(async () => {
    etcd = await RealEtcd.start();
  });
  afterAll(() => etcd.stop());

  const kelp = new Kelp('127.0.0.1:1');
  const logAt = (prefix: string): string => `${etcd.url.replace('http:', 'etcd:')}/${prefix}`;

  test('makes a shared log once, and leaves one that is there', async () => {
    const log = logAt('kelp/one');
    const [made] = await kelp.json('cluster', 'init', '--log', log);
    expect(made).toEqual({ log, storeId: expect.stringMatching(/^[0-9a-f]{32}$/), isNew: true });

    const { code, stderr } = await kelp.run(['cluster', 'init', '--log', log]);

    expect(code).toBe(1);
    expect(stderr).toContain(`there is a shared log at ${log} already`);
    expect(stderr).toContain((made as { storeId: string }).storeId);
    const [there] = await kelp.json('cluster', 'init', '--log', log, '--if-missing');
    expect(there).toEqual({ ...(made as object), isNew: false });
  });

  test('takes the address from the environment of the servers', async () => {
    const environment = { KELP_LOG: logAt('kelp/two') };
    const { code, stdout } = await kelp.run(['cluster', 'init'], { environment });
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining(`made the shared log at ${environment.KELP_LOG}`),
    ]);
  });
});

test.each([
  [['cluster', 'init'], 'say where the shared log is to be made'],
  [['cluster', 'init', '--log', 'http://a/b'], '--log: the address of the shared log is "http://a/b"'],
  [['cluster', 'init', '--log', LOG, '--log-user', 'u'], '--log-user and --log-password-file go together'],
  [['cluster', 'init', '--log', LOG, '--log-ca', 'ca.pem'], 'write etcds:// in --log'],
  [
    ['cluster', 'init', '--log', 'etcds://127.0.0.1:1/kelp', '--log-ca', '/no/such/file'],
    "--log-ca: can't read /no/such/file: ENOENT",
  ],
  [['serve', '--log', 'etcd://a'], '--log: the address of the shared log is "etcd://a"'],
  [
    ['serve', '--log', LOG, '--log-user', 'u', '--log-password-file', '/no/such'],
    "--log-password-file: can't read",
  ],
  [['serve', '--log', LOG, '--peer-token-file', '/no/such'], "--peer-token-file: can't read /no/such"],
])('what %j names is looked at before anything is started', async (args, message) => {
  const { code, stderr } = await new Kelp('127.0.0.1:1').run(args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
});
