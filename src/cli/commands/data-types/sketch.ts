/** `sketch hll-add`, `hll-count`, `hll-merge`, `bloom-create`, `bloom-add`, `bloom-contains`. */
import { type Command, Option } from 'commander';
import { anyNumber, wholeNumber } from '../../command-line/argument.ts';
import { consistencyOption } from '../../command-line/consistency-option.ts';
import type { SessionRunner } from '../../session/session.ts';
import type { BloomCreateFlags } from '../../tasks/data-types/sketch.ts';
import { revisionOption, ttlOption } from './options.ts';

const tasks = () => import('../../tasks/data-types/sketch.ts');

export function addSketchCommands(program: Command, runner: SessionRunner): void {
  const sketch = program
    .command('sketch')
    .description('count and remember many elements in little memory: HyperLogLogs and Bloom filters')
    .addHelpText('after', help);

  sketch
    .command('hll-add <key> [elements...]')
    .description('add elements to a HyperLogLog')
    .addOption(ttlOption())
    .action((key: string, elements: string[], flags: { ttl?: number }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).hllAdd(session, key, elements, flags)),
    );

  sketch
    .command('hll-count <keys...>')
    .description('print about how many different elements HyperLogLogs were given together')
    .addOption(revisionOption())
    .addOption(consistencyOption())
    .action((keys: string[], flags: { revision?: number }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).hllCount(session, keys, flags)),
    );

  sketch
    .command('hll-merge <key> <sources...>')
    .description('merge HyperLogLogs into one, which keeps what it has')
    .action((key: string, sources: string[], _: unknown, command: Command) =>
      runner.run(command, async (session) => (await tasks()).hllMerge(session, key, sources)),
    );

  sketch
    .command('bloom-create <key>')
    .description('make a Bloom filter; exit with 1 when the key exists')
    .addOption(
      new Option('--error-rate <rate>', 'how often a yes may be wrong; default: 0.01').argParser(anyNumber),
    )
    .addOption(
      new Option('--capacity <count>', 'elements that the first layer is made for; default: 100').argParser(
        wholeNumber,
      ),
    )
    .addOption(
      new Option('--expansion <factor>', 'how many times larger each further layer is; default: 2').argParser(
        wholeNumber,
      ),
    )
    .option('--non-scaling', 'no further layers')
    .addOption(ttlOption())
    .action((key: string, flags: BloomCreateFlags, command: Command) =>
      runner.run(command, async (session) => (await tasks()).bloomCreate(session, key, flags)),
    );

  sketch
    .command('bloom-add <key> <elements...>')
    .description('add elements to a Bloom filter')
    .addOption(ttlOption())
    .action((key: string, elements: string[], flags: { ttl?: number }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).bloomAdd(session, key, elements, flags)),
    );

  sketch
    .command('bloom-contains <key> <elements...>')
    .description('tell for each element whether it may have been added; exit with 1 unless all may')
    .addOption(revisionOption())
    .addOption(consistencyOption())
    .action((key: string, elements: string[], flags: { revision?: number }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).bloomContains(session, key, elements, flags)),
    );
}

const help = `
Examples:
  kelp sketch hll-add visitors alice bob
  kelp sketch hll-count visitors
  kelp sketch bloom-add seen https://example.com/
  kelp sketch bloom-contains seen https://example.com/`;
