/** etcdctl as people use it, command by command: KelpDB and a real etcd say the same. */
import { describe, expect, test } from 'vitest';
import { hasRealEtcd } from '../../server/etcd/support/real-etcd.ts';
import { hasEtcdctl } from './etcdctl.ts';
import { SameCtl } from './same-ctl.ts';

const formats = ['simple', 'json', 'fields'] as const;

const reads = [
  'get a',
  'get nothing',
  'get a c',
  'get c a',
  'get a/ --prefix',
  'get --prefix a/ --keys-only',
  'get --prefix a/ --print-value-only',
  'get a/ --prefix --limit=2',
  'get a/ --prefix --limit=2 --order=DESCEND',
  'get a/ --prefix --sort-by=KEY --order=DESCEND',
  'get --prefix  --sort-by=CREATE',
  'get --prefix  --sort-by=MODIFY --order=DESCEND',
  'get a/ --prefix --sort-by=VALUE --order=ASCEND',
  'get a/ --prefix --sort-by=VERSION --order=DESCEND --limit=1',
  'get --from-key b',
  'get --from-key ',
  'get --from-key b --limit=1',
  'get --from-key b --prefix',
  'get a --rev=2',
  'get a/ --prefix --rev=4',
  'get a --rev=1000',
  'get a --rev=-1',
  'get a --consistency=s',
  'get a --consistency=x',
  'get a --sort-by=COLOUR',
  'get a --order=UP',
  'get a c --prefix',
  'get',
  'get a b c',
  'get --prefix  --keys-only --print-value-only',
  'get --hex a',
  'get a -w table',
] as const;

/** What a command is asked with, beside its words. */
type Step = string | readonly [command: string, input: string];

const writes: readonly Step[] = [
  'put a 1',
  'put a 2 --prev-kv',
  'put new v --prev-kv',
  ['put from-input', 'typed\nin two lines'],
  ['put empty', ''],
  'put a --ignore-value',
  'put a 3 --ignore-value',
  'put nothing --ignore-value',
  'put a 4 --ignore-lease',
  'put nothing 1 --ignore-lease',
  'put  empty-key',
  'put a 1 --lease=7b',
  'put a 1 --lease=no-number',
  'put --  -dash',
  'put -- dash -dash',
  'put a 1 2',
  'put',
  'get  --prefix -w json',
  'del a',
  'del a',
  'del a --prev-kv',
  'put x/1 1',
  'put x/2 2',
  'put y 3',
  'put z 4',
  'del x/ --prefix --prev-kv',
  'del y zz --prev-kv',
  'put p 1',
  'put q 2',
  'del q p',
  'del --from-key q --prev-kv',
  'del --from-key q --prefix',
  'del',
  'del a b c',
  'del  --prefix',
  'get  --prefix -w json',
];

const transactions: readonly Step[] = [
  ['txn', 'mod("a") > "0"\n\nput a new\nget a\n\nput b "made of nothing"\nget b\n\n'],
  ['txn', 'ver("b") = "1"\n\nput a "with \\"quotes\\""\nget a\ndel b\n\nput b failed\n\n'],
  ['txn', 'create("b") = "0"\nval("a") = "with \\"quotes\\""\n\nget --prefix ""\n\n\n'],
  ['txn -w json', 'val("a") < "a"\n\nget a\n\nget a\nget b --keys-only\n\n'],
  ['txn -w fields', '\n\nput a 1\ndel a --prev-kv\n\n\n'],
  ['txn', '\nput a 1\nput a 2\n\n\n'],
  ['txn', '\n\n\n'],
  ['txn', 'nonsense\n\n\n\n'],
  ['txn -i', 'mod("a") > "0"\n\nput a i\n\nget a\n\n'],
  ['txn --interactive -w json', '\nput c 1\nput d 2\nget --prefix ""\n\n\n'],
];

const watches = [
  'watch --rev=3 --prefix a',
  'watch --rev=4 --prefix a/',
  'watch --rev=4 a b',
  'watch --rev=4 --prev-kv --prefix a/',
  'watch --rev=5 --prev-kv a/1',
] as const;

describe.skipIf(!hasEtcdctl || !hasRealEtcd)(
  'etcdctl says what it says to etcd',
  { timeout: 180_000 },
  () => {
    test('of reads, in all formats', async () => {
      const both = await SameCtl.start();
      for (const [key, value] of [
        ['a', '1'],
        ['a', '2'],
        ['a/1', 'z'],
        ['a/2', 'y'],
        ['a/3', 'x'],
        ['b', 'v'],
        ['a/3', 'xx'],
        ['c', ''],
      ])
        await both.same(`put ${key} ${value}`);
      for (const command of reads) await both.same(command);
      for (const command of reads.slice(0, 5))
        for (const format of formats) await both.same(`${command} -w ${format}`);
    });

    test('of puts and deletions', async () => {
      const both = await SameCtl.start();
      for (const step of writes) await both.same(...wordsOf(step));
    });

    test('of transactions that are typed', async () => {
      const both = await SameCtl.start();
      for (const step of transactions) await both.same(...wordsOf(step));
      await both.same('get  --prefix -w json');
    });

    test('of compactions', async () => {
      const both = await SameCtl.start();
      for (const value of [1, 2, 3, 4, 5, 6]) await both.same(`put a ${value}`);
      for (const command of [
        'compaction 3',
        'compaction 3',
        'compaction 2',
        'compaction 100',
        'compaction 5 --physical',
        'compaction no-number',
        'compaction',
        'get a --rev=4',
        'get a --rev=5',
        'get a --rev=6',
      ])
        await both.same(command);
    });

    test('of leases and the keys that they hold', async () => {
      const both = await SameCtl.start();
      await both.grant(6000);
      for (const command of [
        'lease list',
        'put a 1 --lease=LEASE',
        'put b 1 --lease=LEASE --prev-kv',
        'get a -w json',
        'get a -w fields',
        'put a 2 --ignore-lease',
        'put b --ignore-value',
        'get  --prefix -w json',
        'lease keep-alive --once LEASE',
        'lease keep-alive --once 7b',
        'lease timetolive 7b',
        'lease timetolive no-number',
        'lease revoke 7b',
        'lease grant no-number',
        'lease grant',
        'lease revoke LEASE',
        'lease revoke LEASE',
        'lease timetolive LEASE --keys',
        'get  --prefix -w json',
        'lease list',
      ])
        await both.same(command);
      await both.grant(6000);
      await both.same('put a 1 --lease=LEASE');
      // A second may pass between the two.
      for (const command of ['lease timetolive LEASE', 'lease timetolive LEASE --keys'])
        await both.sameBut(command, ({ stdout, code }) => [
          code,
          stdout.replace(/remaining\((6000|5999|5998)s\)/, 'remaining'),
        ]);
    });

    test('of members, alarms and leaders, as far as one member has such', async () => {
      const both = await SameCtl.start();
      for (const command of ['alarm list', 'alarm disarm', 'defrag', 'version', 'lock', 'elect', 'watch'])
        await both.same(command);
      await both.sameBut('endpoint health', ({ code, stdout, stderr }) => [
        code,
        (stdout + stderr).replace(/took = .*/, ''),
      ]);
      for (const format of ['simple', 'table', 'fields', 'json'])
        expect((await both.both(`endpoint status -w ${format}`)).map(({ code }) => code)).toEqual([0, 0]);
    });

    test('of watches, from history on', async () => {
      const both = await SameCtl.start();
      for (const command of [
        'put a 1',
        'put a/1 2',
        'put a 3',
        'del a',
        'put b 4',
        'compaction 3',
        'put a/2 5',
      ])
        await both.same(command);
      for (const [index, command] of watches.entries()) {
        const toldTo = both.start(command);
        // What is put for one watch is history for the next one.
        await both.same('del a/1');
        await both.same(`put a/1 end-${index}`);
        await toldTo(`end-${index}`);
      }
      await both.start('watch --rev=2 a')('required revision has been compacted');
    });

    test('of watches that are typed', async () => {
      const both = await SameCtl.start();
      for (const value of [1, 2, 3]) await both.same(`put a ${value}`);
      // It ends with its input, perhaps before there is an answer.
      for (const input of ['nonsense\n', 'watch\n', 'watch a b c\n', 'cancel\n'])
        await both.same('watch -i', input);
    });
  },
);

function wordsOf(step: Step): [command: string, input?: string] {
  return typeof step === 'string' ? [step] : [...step];
}
