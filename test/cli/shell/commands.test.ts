/** Each command of the shell, against a server and with an embedded store: both answer alike. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { StoreStatus } from '../../../src/api.ts';
import { commands } from '../../../src/cli/shell/table.ts';
import { startTestServer, temporaryDirectory } from '../../support/test-server.ts';
import { Kelp } from '../kelp.ts';
import { type RunScript, jsonReplies, replies, scriptsWith, shells } from './shells.ts';

describe.each(shells)('with %s', (_, open) => {
  let run: RunScript;
  beforeEach(async () => {
    run = await open();
  });

  test('SET, GET, DEL: the replies to the letter, in capitals or small letters', async () => {
    expect(
      await replies(run, 'SET foo bar', 'get foo', 'Del foo', 'GET foo', 'DELETE foo', 'QUIT', 'GET foo'),
    ).toEqual(['OK', 'bar', 'Deleted foo', 'key not found', 'key not found', 'Goodbye!']);
  });

  test('DEL of several deletes them in one revision and tells of each', async () => {
    expect(await replies(run, 'SET a 1', 'SET c 1', "DEL a 'b b' c")).toEqual([
      'OK',
      'OK',
      'Deleted a',
      "key not found: 'b b'",
      'Deleted c',
    ]);
    expect(await jsonReplies(run, 'STATS')).toMatchObject([{ revision: 3, keyCount: 0 }]);
  });

  test('SET with a time to live', async () => {
    expect(
      await replies(run, 'SET a 1 EX 100', 'TTL a', 'SET a 1 px 5000', 'SET a 1 EX 2h', 'TTL a'),
    ).toEqual([
      'OK',
      expect.stringMatching(/^1m (?:40|39)s$/),
      'OK',
      'OK',
      expect.stringMatching(/^(?:2h|1h 59m)$/),
    ]);
  });

  test('SET with NX, XX and GET', async () => {
    expect(
      await replies(
        run,
        'SET a 1 XX',
        'SET a 1 NX',
        'SET a 2 NX',
        'SET a 3 XX',
        'SET a 4 GET',
        'SET b 1 GET',
        'GET a',
      ),
    ).toEqual(['not set: key not found', 'OK', 'not set: the key exists', 'OK', '3', 'key not found', '4']);
  });

  test('EXISTS', async () => {
    expect(await replies(run, 'SET a 1', 'EXISTS a', 'EXISTS b', 'EXISTS a b a')).toEqual([
      'OK',
      'yes',
      'no',
      '2 of 3 keys',
    ]);
  });

  test('INCR, DECR, INCRBY, DECRBY', async () => {
    expect(
      await replies(run, 'INCR n', 'INCRBY n 41', 'DECR n', 'DECRBY n 50', 'INCRBY n -9223372036854775799'),
    ).toEqual(['1', '42', '41', '-9', '-9223372036854775808']);
    const { stderr, code } = await run(['DECR n', 'SET t text', 'INCR t']);
    expect(stderr).toMatch(/^kelp: line 1: .*\nkelp: line 3: .*\n$/);
    expect(code).toBe(4);
  });

  test('KEYS, LIST, SCAN', async () => {
    await replies(run, 'SET user:1 Alice', 'SET user:2 Bob EX 1000', 'SET other 1', "SET 'us er' 2");
    expect(await replies(run, 'KEYS user:*')).toEqual(['user:1', 'user:2']);
    expect(await replies(run, "KEYS 'us*'")).toEqual(["'us er'", 'user:1', 'user:2']);
    expect(await replies(run, 'KEYS')).toEqual(['other', "'us er'", 'user:1', 'user:2']);
    expect(await replies(run, 'KEYS nothing')).toEqual([]);
    const listed = [
      'KEY     VALUE    EXPIRES IN',
      'user:1  "Alice"  -',
      expect.stringMatching(/^user:2 {2}"Bob" {4}16m \d+s$/),
    ];
    expect(await replies(run, 'LIST user:')).toEqual(listed);
    expect(await replies(run, 'LIST user:*')).toEqual(listed);
    expect(await replies(run, 'SCAN user: COUNT 1')).toEqual([
      'user:1',
      'more: SCAN user: COUNT 1 AFTER user:1',
    ]);
    expect(await replies(run, 'SCAN user: COUNT 1 AFTER user:1')).toEqual(['user:2']);
    expect(await replies(run, 'SCAN user: AFTER a')).toEqual(['user:1', 'user:2']);
    expect(await replies(run, 'SCAN AFTER user:1')).toEqual(['user:2']);
    expect(await replies(run, 'SCAN nothing')).toEqual(['no keys']);
  });

  test('what SCAN says goes on to the last key, whatever the keys are', async () => {
    const keys = ["'p* a'", String.raw`'p*\'`, String.raw`$'p*\xff'`, "'p*'"];
    await replies(run, ...keys.map((key) => `SET ${key} 1`), 'SET pq 1');
    const found: string[] = [];
    let command = String.raw`SCAN 'p\*' COUNT 1`;
    while (command !== '') {
      const [key = '', more = ''] = await replies(run, command);
      found.push(key);
      command = more.replace('more: ', '');
    }
    expect(found).toEqual(['p*', "'p* a'", String.raw`'p*\'`, String.raw`$'p*\xff'`]);
  });

  test('TTL, EXPIRE, PERSIST', async () => {
    expect(
      await replies(
        run,
        'TTL a',
        'EXPIRE a 5',
        'PERSIST a',
        'SET a 1',
        'TTL a',
        'EXPIRE a 2h',
        'TTL a',
        'PERSIST a',
        'TTL a',
      ),
    ).toEqual([
      'key not found',
      'key not found',
      'key not found',
      'OK',
      'lives for ever',
      'OK',
      expect.stringMatching(/^(?:2h|1h 59m)$/),
      'OK',
      'lives for ever',
    ]);
  });

  test('WATCH tells what changes behind it, UNWATCH ends it', async () => {
    // A reply that comes later than an event shows that the event has come.
    const seen = await replies(
      run,
      'WATCH',
      'UNWATCH *',
      'WATCH a*',
      "WATCH 'b\\*'",
      'UNWATCH a*',
      'UNWATCH',
    );
    expect(seen).toEqual(['Watching *', 'OK', 'Watching a*', String.raw`Watching 'b\*'`, 'OK', 'OK']);
    const { stdout, stderr, code } = await run(['WATCH a', 'WATCH a', 'UNWATCH b', 'WATCH a*b']);
    expect(stdout).toBe('Watching a\nb is not being watched; watched: a\n');
    expect(stderr).toBe(
      "kelp: line 2: a is being watched already\nkelp: line 4: a*b: a * stands at the end, for all keys that begin so; '\\*' is the character\n",
    );
    expect(code).toBe(2);
  });

  test('SNAPSHOT writes that of the store, or a backup that kelp restore takes', async () => {
    const folder = await temporaryDirectory();
    const file = join(folder, 'store.backup');
    expect(await replies(run, 'SET a 1', 'SNAPSHOT', `SNAPSHOT ${file}`)).toEqual([
      'OK',
      expect.stringMatching(/^Saved snapshot of revision 1, \d+ B$/),
      `Saved snapshot to ${file}`,
    ]);
    const restored = join(folder, 'restored');
    const kelp = new Kelp(':1');
    expect((await kelp.run(['restore', file, '--data-dir', restored])).code).toBe(0);
    expect(await replies(scriptsWith(kelp, ['--data-dir', restored]), 'GET a')).toEqual(['1']);
    const { code, stderr } = await run([`SNAPSHOT ${file}`, 'SNAPSHOT /nowhere/at/all', "SNAPSHOT ''"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^kelp: line 1: .* exists; .*\nkelp: line 2: there is no folder .*\nkelp: line 3: '' is no name of a file\n$/,
    );
  });

  test('SNAPSHOT writes JSON to a file whose name says so', async () => {
    const folder = await temporaryDirectory();
    const [lines, document] = ['a.jsonl', 'a.json'].map((name) => join(folder, name)) as [string, string];
    expect(await replies(run, 'SET a 1', `SNAPSHOT ${lines}`, `SNAPSHOT ${document}`)).toEqual([
      'OK',
      `Saved snapshot to ${lines}`,
      `Saved snapshot to ${document}`,
    ]);
    expect(readFileSync(lines, 'utf8')).toBe('{"key":"a","value":"1"}\n');
    expect(JSON.parse(readFileSync(document, 'utf8'))).toMatchObject({ version: 1, data: { a: '1' } });
    const { code, stderr } = await run([`SNAPSHOT ${lines}`, 'SNAPSHOT /nowhere/at/all.json']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^kelp: line 1: .* exists; .*\nkelp: line 2: there is no folder .*\n$/);
  });

  test('COMPACT drops the history before a revision', async () => {
    expect(await replies(run, 'SET a 1', 'SET a 2', 'SET a 3', 'COMPACT 2')).toEqual([
      'OK',
      'OK',
      'OK',
      'Readable from revision 2 on',
    ]);
    expect(await replies(run, 'COMPACT')).toEqual([
      expect.stringMatching(/^Gave back .*; readable from revision 3 on, snapshot of revision 3$/),
    ]);
    expect(await jsonReplies(run, 'STATS')).toMatchObject([
      { oldestRevision: 3, snapshotRevision: 3, oldestWatchRevision: 3 },
    ]);
    expect((await run(['COMPACT 1', 'COMPACT 99', 'COMPACT 0'])).stderr).toMatch(
      /^kelp: line 1: .*compacted.*\nkelp: line 2: .*not been reached.*\nkelp: line 3: expected a whole number .*\n$/,
    );
  });

  test('COMPACT of a store without a revision has nothing to do', async () => {
    expect(await replies(run, 'COMPACT')).toEqual(['Nothing to give back: nothing was written yet']);
  });

  test('STATS names the active and the oldest segment', async () => {
    const lines = await replies(run, 'SET a 1', 'STATS');
    expect(lines).toContainEqual(expect.stringMatching(/^keys +1$/));
    expect(lines).toContainEqual(expect.stringMatching(/^active segment +1$/));
    expect(lines).toContainEqual(expect.stringMatching(/^oldest segment +1$/));
  });

  test('values and keys that are no text have a form', async () => {
    expect(await replies(run, String.raw`SET $'\xff' $'\x00\xfe'`, String.raw`GET $'\xff'`, 'KEYS')).toEqual([
      'OK',
      '0x00fe',
      String.raw`$'\xff'`,
    ]);
    expect(await jsonReplies(run, String.raw`GET $'\xff'`, 'KEYS', String.raw`DEL $'\xff'`)).toEqual([
      {
        entry: {
          key: '',
          keyBytes: '/w==',
          value: { base64: 'AP4=' },
          createRevision: 1,
          modRevision: 1,
          version: 1,
        },
      },
      { keys: [{ base64: '/w==' }] },
      { deletedCount: 1 },
    ]);
  });

  test('on a terminal a value can not move the cursor, and an empty one shows', async () => {
    const { stdout } = await run(
      [String.raw`SET a $'\e[2Jx'`, 'GET a', "SET b ''", 'GET b', String.raw`SET c $'1\n2'`, 'GET c'],
      { isTerminal: true },
    );
    expect(stdout).toBe('OK\n"\\u001b[2Jx"\nOK\n""\nOK\n1\n2\n');
    const piped = await run(['GET a']);
    expect(piped.stdout).toBe('\u001b[2Jx\n');
  });

  test('on a terminal a list without items says so', async () => {
    expect((await run(['KEYS', 'LIST'], { isTerminal: true })).stdout).toBe('no keys\nno keys\n');
  });

  test.each([
    ['SET a', 'expected SET key value'],
    ['SET a b c d', 'c is no option of SET; a value with blanks stands in quotes'],
    ['SET a b EX', 'EX lacks its time'],
    ['SET a b EX 0', 'expected a time from 1ms to 36500d, not 0; DEL deletes a key'],
    ['SET a b EX soon', 'expected a number, or a time with its unit'],
    ['SET a b EX 1 PX 1', 'the time to live is given twice'],
    ['SET a b NX XX', 'give NX or XX, once'],
    ['SET a b KEEPTTL', 'there is no KEEPTTL here: a SET replaces the time to live'],
    ["GET ''", 'a key is empty'],
    [`GET ${'k'.repeat(4097)}`, 'a key has 4097 bytes, more than 4096'],
    ['GET', 'expected GET key'],
    ['GET a b', 'expected GET key'],
    ["GET 'a", "the quote ' is not closed"],
    ['INCRBY a x', 'expected a whole number of 64 bits'],
    ['DECRBY a -9223372036854775808', 'is too low'],
    ['SCAN 0 MATCH user:*', 'MATCH is no option of SCAN; there are COUNT and AFTER'],
    ['SCAN COUNT 0', 'expected a whole number from 1 to 10000, not 0'],
    ['LIST a*b', 'a * stands at the end'],
    [String.raw`KEYS $'\xff'`, 'a pattern is UTF-8 text'],
    ['STATS now', 'STATS stands alone'],
    ['HELP nothing', 'unknown command nothing'],
    ['GTE a', 'unknown command GTE (did you mean GET?)'],
    ['dlete a', 'unknown command dlete (did you mean DELETE?)'],
    ['auth bob hunter2', 'there is no AUTH: the shell logs in as it starts'],
    ['frobnicate', 'unknown command frobnicate; HELP lists the commands'],
    ['COMMIT', 'no transaction is open; BEGIN begins one'],
    ['ROLLBACK', 'no transaction is open'],
  ])('%s is refused', async (line, message) => {
    const { code, stdout, stderr } = await run([line]);
    expect(stdout).toBe('');
    expect(stderr.startsWith('kelp: line 1: ')).toBe(true);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

test('a bare COMPACT lets the log go that no snapshot needs', async () => {
  const { address } = await startTestServer({ flags: { 'segment-bytes': '1MiB', 'snapshots-kept': '1' } });
  const run = scriptsWith(new Kelp(address), []);
  const value = 'x'.repeat(300_000);
  for (let i = 0; i < 4; i++) await replies(run, ...Array.from({ length: 4 }, () => `SET a ${value}`));
  const [before] = (await jsonReplies(run, 'STATS')) as StoreStatus[];
  const [reply] = await replies(run, 'COMPACT');
  expect(reply).toMatch(/^Gave back [\d.]+ MiB of log/);
  const [after] = (await jsonReplies(run, 'STATS')) as StoreStatus[];
  expect(after?.segmentCount).toBeLessThan(before?.segmentCount ?? 0);
  expect(after?.oldestSegmentId).toBeGreaterThan(before?.oldestSegmentId ?? 0);
});

test('every command has a help, and says in it how it is called', async () => {
  const [[, open] = []] = shells.slice(1);
  const run = await open?.();
  if (run === undefined) throw new Error('there is an embedded store');
  const overview = (await replies(run, 'HELP')).join('\n');
  for (const { names, usage, summary } of commands) {
    expect(overview).toContain(summary);
    for (const name of names) {
      const lines = await replies(run, `help ${name.toLowerCase()}`);
      expect(lines[0]).toBe(`${names[0]} ${usage}`.trimEnd());
    }
  }
});

test('names of commands are in capitals, and each is that of one', () => {
  const names = commands.flatMap((command) => command.names);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => name !== name.toUpperCase())).toEqual([]);
});

test('a directory that a server has is refused, with what to do', async () => {
  const { dataDir } = await startTestServer();
  const { code, stderr } = await scriptsWith(new Kelp(':1'), ['--data-dir', dataDir])(['GET a']);
  expect(stderr).toBe(
    `kelp: another process has the data directory ${dataDir}; if it is a server, talk to that: kelp shell --address HOST:PORT\n`,
  );
  expect(code).toBe(4);
});

test('options that do not go together are refused', async () => {
  const kelp = new Kelp(':1');
  const both = await kelp.run(['shell', '--data-dir', 'x', '--address', ':1']);
  expect(both).toMatchObject({
    code: 2,
    stderr: 'kelp: --address is for a server; with --data-dir there is none\n',
  });
  const hex = await kelp.run(['shell', '--hex-keys']);
  expect(hex.code).toBe(2);
  expect(hex.stderr).toContain('--hex-keys');
});

test('SNAPSHOT tells of a checkpoint where the engine is one on disk', async () => {
  const { address } = await startTestServer({ flags: { engine: 'lsm' } });
  expect(await replies(scriptsWith(new Kelp(address), []), 'SET a 1', 'SNAPSHOT')).toEqual([
    'OK',
    expect.stringMatching(/^Saved checkpoint of revision 1, \d+ B$/),
  ]);
});
