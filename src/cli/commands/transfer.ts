/** `export` and `import`. */
import { type Command, Option } from 'commander';
import { conflictRules, transferFormats, ttlForms } from '../../transfer/contract/words.ts';
import { wholeNumber } from '../command-line/argument.ts';
import { etcdOptions, refuseEtcdOptions } from '../command-line/etcd-options.ts';
import { addRangeOptions } from '../command-line/range-options.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import type { SessionRunner } from '../session/session.ts';
import { dataDirOption, runOnStore } from '../session/store-session.ts';
import type { ExportFlags } from '../tasks/transfer/export.ts';
import type { EtcdImportFlags } from '../tasks/transfer/import-etcd.ts';
import type { ImportFlags } from '../tasks/transfer/import.ts';

const exportTasks = () => import('../tasks/transfer/export.ts');
const importTasks = () => import('../tasks/transfer/import.ts');
const etcdTasks = () => import('../tasks/transfer/import-etcd.ts');

export function addTransferCommands(program: Command, runner: SessionRunner): void {
  addRangeOptions(program.command('export').argument('[file]', 'where to; - for standard output', '-'))
    .description('write the entries of a range as JSON Lines, one JSON document or a snapshot file')
    .addOption(
      new Option('--format <form>', 'default: as the name of the file says').choices(transferFormats),
    )
    .addOption(new Option('--revision <revision>', 'as they were at this revision').argParser(wholeNumber))
    .addOption(
      new Option('--ttl <form>', 'in JSON: when a time to live ends, or what is left of it')
        .choices(ttlForms)
        .default('deadline'),
    )
    .option('--force', 'replace a file that is there')
    .addOption(dataDirOption())
    .addHelpText('after', exportHelp)
    .action((path: string, flags: ExportFlags, command: Command) =>
      runOnStore(runner, command, false, async (session) =>
        (await exportTasks()).exportEntries(session, path, flags),
      ),
    );

  const importing = program
    .command('import')
    .argument('[file]', 'what kelp export or another program has written; - for standard input', '-')
    .description('write the entries of a file; its form is recognised by its content')
    .addOption(
      new Option('--on-conflict <rule>', 'what to do where a key is there already')
        .choices(conflictRules)
        .default('fail'),
    )
    .addOption(new Option('--format <form>', 'refuse any other form').choices(transferFormats))
    .addOption(
      new Option('--resume-after <count>', 'pass over so many entries, which are done').argParser(
        wholeNumber,
      ),
    )
    .option('--dry-run', 'read and check everything, write nothing')
    .addOption(dataDirOption())
    .addHelpText('after', importHelp)
    .action((path: string, flags: ImportFlags & EtcdImportFlags, command: Command) =>
      runOnStore(runner, command, flags.dryRun !== true, async (session) => {
        const { fromEtcd } = flags;
        if (fromEtcd === undefined) {
          refuseEtcdOptions(flags);
          return (await importTasks()).importEntries(session, path, flags);
        }
        if (command.args.length > 0) throw new UsageError('--from-etcd reads from etcd; leave the file out');
        return (await etcdTasks()).importEtcd(session, fromEtcd, command.optsWithGlobals());
      }),
    );
  for (const option of etcdOptions()) importing.addOption(option);
}

const exportHelp = `
Forms: jsonl (.jsonl, .ndjson; to standard output the default), json (.json), binary (.kelp, .backup, .snapshot, .bin,
.pb). All entries are of one revision. A file is written under another name and renamed once it is whole. Keys of leases
are left out and counted; revisions and versions are kept in the binary form alone. docs/transfer.md shows the forms.

Examples:
  kelp export > keys.jsonl
  kelp export users.json --prefix user/
  kelp export --data-dir ./data whole.kelp
  kelp export | jq -r .key`;

const importHelp = `
Entries are written in batches, one transaction each, in the order of the input. A time to live ends when the file says;
what has ended by then is left out, and so are keys of leases. Broken input ends the import at its line: what stands
before it is written, nothing after it.

An import that was interrupted can be run again: with replace from the beginning, to the same effect; with skip, which
leaves what is there; or with --resume-after and the number that was told, whatever the rule.

With --from-etcd all keys of an etcd are copied as they are at one revision, then its changes are followed, each revision in
one transaction, until Ctrl-C or SIGTERM. Keys of leases get times to live. It says which revision of etcd is in, and
--from-revision goes on from there. docs/etcd.md shows how to move.

Examples:
  kelp import keys.jsonl
  kelp import users.json --on-conflict skip
  kelp export --address :7379 | kelp import --address :7380 --on-conflict replace
  kelp import keys.jsonl --dry-run
  kelp import --from-etcd 127.0.0.1:2379`;
