/** `kelp stats` and `kelp top`: what a person and a program see of a server that has something to do. */
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Activity, MethodActivity } from '../../src/client/messages/types.ts';
import { type KelpClient, createClient } from '../../src/client/client.ts';
import { ratesOf } from '../../src/cli/tasks/rates.ts';
import { type TestServer, startTestServer } from '../support/test-server.ts';
import { Kelp, jsonLines } from './kelp.ts';
import { KelpTerminal } from './kelp-terminal.ts';

let server: TestServer;
let kelp: Kelp;
let client: KelpClient;

beforeEach(async () => {
  server = await startTestServer();
  kelp = new Kelp(server.address);
  client = createClient({ address: server.url });
  onTestFinished(() => client.close());
});

/** Puts and gets one after the other, until the test has ended. Resolves when the busiest keys are those that are to be. */
async function keepBusy(): Promise<void> {
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const round = async (index: number): Promise<void> => {
    await client.put(`order/${index % 10}`, 'x');
    await client.get(`user:${index % 10}`);
    await client.get(`user:${index % 7}`);
    // Others are to have their turn.
    await new Promise(setImmediate);
  };
  for (let index = 0; index < 3; index++) await round(index);
  void (async () => {
    for (let index = 3; !end.signal.aborted; index++) await round(index);
  })().catch(() => undefined);
}

/** Asks again until it holds: on a machine that has other things to do there may be no call in an interval. */
async function askUntil(ask: () => Promise<string>, holds: RegExp): Promise<string> {
  for (;;) {
    const answer = await ask();
    if (holds.test(answer)) return answer;
  }
}

const INTERVAL = ['--interval', '200ms'];

describe('stats', () => {
  test('tells a person how the store does, and what goes on', async () => {
    await keepBusy();
    const busiest = /\nMETHOD +DOOR +CALLS\/S +FAILED\/S +P50 +P99 +UNDER WAY\nGet +grpc +[\d.]+ +0 /;
    const text = await askUntil(() => kelp.text('stats', ...INTERVAL), busiest);
    expect(text).toMatch(/^version +0\.0\.0-test\n/);
    expect(text).toMatch(/\nmemory +\d.* of .*, resident .*\n/);
    expect(text).toMatch(/\nsegments +\d+ is the oldest, \d+ is written\n/);
    expect(text).toMatch(/\nwatchers +0\n/);
    expect(text).toMatch(/\nlast \d\.\ds\n\ncalls +[\d.]+\/s, 0\/s failed\n/);
    expect(text).toMatch(/\nKEYS +READS\/S +WRITES\/S\nuser:\* +[\d.]+ +0\norder\/\* +0 +[\d.]+\n$/);
  });

  test('tells a program the same, with the figures of the status as they are', async () => {
    await keepBusy();
    const text = await askUntil(() => kelp.text('stats', ...INTERVAL, '--json'), /"method":"Get"/);
    const [stats] = jsonLines(text) as [Record<string, unknown>];
    const status = Object.entries(await client.admin.status()).filter(([, value]) => value !== undefined);
    expect(status.map(([name]) => name).filter((name) => !(name in stats))).toEqual([]);
    expect(stats).toMatchObject({
      version: '0.0.0-test',
      streamCount: 0,
      rates: {
        errorsPerSecond: 0,
        methods: expect.arrayContaining([
          expect.objectContaining({ door: 'grpc', method: 'Get' }),
        ]) as unknown,
        prefixes: [{ prefix: 'user:' }, { prefix: 'order/' }],
      },
    });
  });

  test('is what status is, too', async () => {
    expect(await kelp.text('status', ...INTERVAL)).toMatch(/^version +0\.0\.0-test\n/);
    expect(await kelp.text('status', '--help')).toMatch(/^Usage: kelp stats\|status/);
  });
});

describe('top', () => {
  test.each([[['--once']], [[]]])('prints one picture where there is no terminal: %j', async (flags) => {
    await keepBusy();
    const stdout = await askUntil(() => kelp.text('top', ...INTERVAL, ...flags), /\nGet +grpc /);
    expect(stdout).toMatch(/^KelpDB 0\.0\.0-test, up .*\nmemory .*\n\ncalls .*\n/);
    expect(stdout).toMatch(/\nGet +grpc [^]*\nuser:\* /);
    expect(stdout).not.toContain('\u001b');
  });

  test('prints one object with --json, on a terminal too', async () => {
    await keepBusy();
    const { stdout } = await kelp.run(['top', ...INTERVAL, '--json'], { isTerminal: true });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({ prefixes: [{ prefix: 'user:' }, { prefix: 'order/' }] });
  });

  test('says why it can not begin', async () => {
    expect(await kelp.run(['top', '--address', '127.0.0.1:1'])).toMatchObject({ code: 3, stdout: '' });
    expect(await kelp.run(['top', '--interval', 'soon'])).toMatchObject({ code: 2, stdout: '' });
  });

  test.each([
    ['q', 'q'],
    ['Ctrl-C', '\u0003'],
  ])('refreshes on a terminal until %s is pressed, and leaves it as it was', async (_, key) => {
    await keepBusy();
    const terminal = new KelpTerminal(['top', '--address', server.address, ...INTERVAL]);
    // The second picture of rates, in place of the first.
    await terminal.until((output) => output.split('UNDER WAY').length > 2);
    terminal.press(key);
    await terminal.ended;
    const { output } = terminal;
    const [before = '', settings = ''] = /^([^\r\n]+)\r\n/.exec(output) ?? [];
    const screen = output.slice(before.length);
    expect(screen.startsWith('\u001b[?1049h\u001b[?25l')).toBe(true);
    // The screen is left, the cursor is shown, no error, and the terminal is set as it was.
    expect(screen.slice(screen.indexOf('\u001b[?25h'))).toBe(
      `\u001b[?25h\u001b[?1049lcode 0\r\n${settings}\r\n`,
    );
    const pictures = screen.split('\u001b[H').slice(1);
    expect(pictures.every((picture) => picture.endsWith('\u001b[J') || picture.includes('\u001b[?25h'))).toBe(
      true,
    );
    const texts = screen.split('\r\n').map((line) => line.split('\u001b').at(-1) ?? '');
    const longest = Math.max(...texts.map(({ length }) => length));
    expect(longest).toBeLessThanOrEqual(100);
  });

  test('a low screen has room for the busiest methods and keys', async () => {
    await keepBusy();
    // One method more than there is room for.
    const end = new AbortController();
    onTestFinished(() => end.abort());
    const watch = client.watch({ ranges: [{}], signal: end.signal });
    await watch[Symbol.asyncIterator]().next();
    const terminal = new KelpTerminal(['top', '--address', server.address, ...INTERVAL], 17);
    await terminal.until((output) => /\nGet [^]*\nuser:\* [^]*\norder\/\* /.test(output));
    terminal.press('q');
    await terminal.ended;
  });

  test('Ctrl-Z gives the screen back, and brings it again', async () => {
    const terminal = new KelpTerminal(['top', '--address', server.address, ...INTERVAL]);
    await terminal.until((output) => output.includes('UNDER WAY'));
    terminal.press('\u001a');
    const [enter, leave] = ['\u001b[?1049h\u001b[?25l', '\u001b[?25h\u001b[?1049l'];
    await terminal.until((output) => output.includes(leave + enter));
    await terminal.until((output) => output.split(leave + enter)[1]?.includes('UNDER WAY') === true);
    terminal.press('q');
    await terminal.ended;
    expect(terminal.output).toContain('code 0');
  });

  test('goes on when the server is away for a while', async () => {
    const terminal = new KelpTerminal(['top', '--address', server.address, ...INTERVAL]);
    await terminal.until((output) => output.includes('UNDER WAY'));
    await server.stop();
    await terminal.until((output) => /(?:^|\[H)[^\r]*(?:refused|can't|closed|reach|stopp)/i.test(output));
    terminal.press('q');
    await terminal.ended;
    expect(terminal.output).toContain('code 0');
  });
});

describe('rates', () => {
  const method = (counts: Partial<MethodActivity>): MethodActivity => ({
    door: 'grpc',
    method: 'Get',
    callCount: 0,
    errorCount: 0,
    inProgressCount: 0,
    durationMicros: 0,
    durationCounts: [],
    ...counts,
  });
  const activity = (uptimeMs: number, counts: Partial<Activity> = {}): Activity => ({
    uptimeMs,
    methods: [],
    durationBoundsMicros: [1000, 2000],
    prefixes: [],
    prefixWindowMs: 0,
    connectionCount: 0,
    streamCount: 0,
    receivedBytes: 0,
    sentBytes: 0,
    watchEventCount: 0,
    flushCount: 0,
    flushMicros: 0,
    logRecordCount: 0,
    logWrittenBytes: 0,
    redisConnectionCount: 0,
    redisBlockedClientCount: 0,
    eventLoopDelayCounts: [],
    ...counts,
  });

  test('are differences by the time between, and times those of the calls between', () => {
    const earlier = activity(10_000, {
      methods: [method({ callCount: 100, durationCounts: [0, 0, 100] })],
      flushCount: 5,
      flushMicros: 5_000_000,
    });
    const later = activity(12_000, {
      methods: [
        method({ callCount: 300, errorCount: 20, durationCounts: [0, 200, 100] }),
        method({ method: 'Watch', inProgressCount: 2 }),
        method({ method: 'Put' }),
      ],
      flushCount: 9,
      flushMicros: 5_008_000,
      receivedBytes: 4096,
      prefixes: [{ prefix: 'a/', readCount: 50, writeCount: 5 }],
      prefixWindowMs: 5000,
    });
    expect(ratesOf(earlier, later)).toMatchObject({
      seconds: 2,
      callsPerSecond: 100,
      errorsPerSecond: 10,
      receivedBytesPerSecond: 2048,
      flushesPerSecond: 2,
      flushMs: 2,
      methods: [
        { method: 'Get', callsPerSecond: 100, errorsPerSecond: 10, p50Ms: 1.5, p99Ms: 1.99 },
        { method: 'Watch', callsPerSecond: 0, inProgressCount: 2 },
      ],
      prefixes: [{ prefix: 'a/', readsPerSecond: 10, writesPerSecond: 1 }],
    });
  });

  test('of a server that was started anew are those since its start', () => {
    const earlier = activity(90_000, { sentBytes: 1_000_000, methods: [method({ callCount: 9999 })] });
    const later = activity(2000, { sentBytes: 4000, methods: [method({ callCount: 10 })] });
    expect(ratesOf(earlier, later)).toMatchObject({
      seconds: 2,
      sentBytesPerSecond: 2000,
      callsPerSecond: 5,
    });
  });

  test('of a server that was away for longer than the one before it was up are those since its start', () => {
    const earlier = activity(1000, { sentBytes: 1000, methods: [method({ callCount: 10 })] });
    const later = activity(2000, { sentBytes: 4000, methods: [method({ callCount: 4 })] });
    expect(ratesOf(earlier, later)).toMatchObject({
      seconds: 2,
      sentBytesPerSecond: 2000,
      callsPerSecond: 2,
    });
  });
});
