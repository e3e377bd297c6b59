/**
 * One rule for all numbers and times on the command line: what is out of their range is a mistake, told before anything is
 * sent. The program itself says which there are, so that none can be left out.
 */
import type { Argument, Command, Option } from 'commander';
import { expect, test } from 'vitest';
import { Output } from '../../src/cli/terminal/output.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { serverOptions } from '../../src/server/config/server-options.ts';
import { Kelp } from './kelp.ts';

/** Nobody listens there: whatever is sent ends with 3. */
const kelp = new Kelp('127.0.0.1:1');

const output = new Output(process.stdout, process.stderr);
const program = buildProgram({ stdin: process.stdin, output, environment: {} }).command;

interface Asked {
  readonly subject: string;
  readonly placeholder: string;
  readonly line: (value: string) => string[];
}

const rightByArgument: Readonly<Record<string, string>> = {
  ttl: '1m',
  id: '1',
  revision: '1',
  shell: 'bash',
};

function* asked(command: Command, path: readonly string[]): Generator<Asked> {
  for (const each of command.commands) yield* asked(each, [...path, each.name()]);
  if (command.commands.length > 0 || command.name() === 'serve') return;
  const line = (replaced?: Argument, value = ''): string[] => [
    ...path,
    ...command.registeredArguments.map((each) =>
      each === replaced ? value : (rightByArgument[each.name()] ?? '1'),
    ),
  ];
  for (const argument of command.registeredArguments) {
    const subject = `${path.join(' ')} <${argument.name()}>`;
    yield { subject, placeholder: argument.name(), line: (value) => line(argument, value) };
  }
  for (const option of [...command.options, ...program.options]) {
    const subject = `${path.join(' ')} ${option.flags}`;
    yield {
      subject,
      placeholder: placeholderOf(option),
      line: (value) => [...line(), option.long ?? '', value],
    };
  }
}

function placeholderOf({ flags }: Option): string {
  return /<(.*)>/.exec(flags)?.[1] ?? '';
}

const all = [...asked(program, [])];
const numbers = all.filter(
  ({ subject, placeholder }) =>
    ['count', 'revision', 'id'].includes(placeholder) && !/--(store-id|incarnation) /.test(subject),
);
const times = all.filter(
  ({ subject, placeholder }) => ['time', 'ttl'].includes(placeholder) && !/^restore.*--time /.test(subject),
);

/** Where 0 has a meaning of its own. */
const orZero = [
  'put --if-revision <revision>',
  'set put --if-revision <revision>',
  'delete --if-revision <revision>',
  'restore --revision <revision>',
];

test('there are such numbers and times', () => {
  const subjects = [...numbers, ...times].map(({ subject }) => subject);
  expect(subjects).toEqual(
    expect.arrayContaining([
      ...orZero,
      'keys --limit <count>',
      'scan --limit <count>',
      'scan --revision <revision>',
      'compact <revision>',
      'lease revoke <id>',
      'put --ttl <time>',
      'put --timeout <time>',
      'lease grant <ttl>',
    ]),
  );
});

test.each(numbers)('$subject is a whole number within its range', async ({ subject, line }) => {
  const min = orZero.includes(subject) ? 0 : 1;
  const wrong = [...(min === 0 ? [] : ['0']), '', '1.5', 'x', '9007199254740992', '9'.repeat(30)];
  for (const value of wrong) {
    expect(await kelp.run(line(value)), value).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        new RegExp(
          `^kelp: .*'${value}' is invalid( for argument '\\w+')?\\. Expected a whole number from ${min} to \\d+\\.\\n$`,
        ),
      ),
    });
  }
});

test.each(times)('$subject is a time within its range', async ({ line }) => {
  for (const value of ['0s', '', '30', '1m1h', '1w', '36501d', '99999999999999d']) {
    expect(await kelp.run(line(value)), value).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^kelp: .*is invalid( for argument '\w+')?\. (Expected a|The) time .*\n$/,
      ),
    });
  }
});

test.each(serverOptions.filter(({ type }) => ['integer', 'bytes', 'duration'].includes(type)))(
  'serve --$name is within its range',
  async ({ name }) => {
    for (const value of ['', 'x', '-1', '9'.repeat(30), '9999999999999999d', '99999999999GiB']) {
      expect(await kelp.run(['serve', `--${name}=${value}`]), value).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(new RegExp(`^kelp: --${name}: .*\\n$`)),
      });
    }
  },
);
