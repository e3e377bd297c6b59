/** What the commands that talk to a server share: the options that lead to it, the client, the output. */
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import type { KelpClient } from '../../client/client.ts';
import { isKelpError } from '../../client/errors/error.ts';
import type { CallOptions } from '../../client/messages/types.ts';
import { systemReason } from '../../errors.ts';
import { client as limits } from '../../limits.ts';
import { formatDurationMs } from '../../server/config/option-values.ts';
import { duration } from '../command-line/argument.ts';
import { pathOf } from '../command-line/command-path.ts';
import { type ExitCode, UsageError, exitCode } from '../process/exit-code.ts';
import { type KeyForm, hexKeys, textKeys } from '../command-line/key-form.ts';
import type { Output } from '../terminal/output.ts';

/** What a command runs in. */
export interface Surroundings {
  readonly stdin: Readable;
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The `KELP_*` variables of the commands that talk to a server; `kelp serve` passes over them. */
export const clientEnvironmentNames = ['KELP_ADDRESS', 'KELP_TLS_CA'];

interface ClientFlags {
  readonly address: string;
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly timeout: number;
  readonly json?: boolean;
  readonly hexKeys?: boolean;
}

const DEFAULT_ADDRESS = '127.0.0.1:7379';

/** Options of the program, which can stand before or after the name of a command. */
export function clientOptions(environment: Surroundings['environment']): Option[] {
  const { KELP_ADDRESS: address, KELP_TLS_CA: tlsCa } = environment;
  return [
    new Option(
      '--address <address>',
      'server: host:port, :port on this machine, https://host:port, or unix:PATH (env: KELP_ADDRESS)',
    ).default(address || DEFAULT_ADDRESS),
    new Option('--tls', 'use TLS; the same as an address with https://'),
    new Option('--tls-ca <file>', 'PEM file of certificates to trust with TLS (env: KELP_TLS_CA)').default(
      tlsCa || undefined,
    ),
    new Option('--timeout <time>', 'time that a call may take')
      .default(limits.deadlineMs, formatDurationMs(limits.deadlineMs))
      .argParser(duration),
    new Option('--json', 'print JSON, one object in a line'),
    new Option('--hex-keys', 'keys are typed and printed as hexadecimal digits, for keys that are not UTF-8'),
  ];
}

/** Refuses the options above, but for those that are `allowed`, where there is no client. */
export function refuseClientOptions(command: Command, allowed: readonly string[] = []): void {
  let program = command;
  while (program.parent !== null) program = program.parent;
  for (const option of program.options) {
    const name = option.attributeName();
    if (!allowed.includes(name) && program.getOptionValueSource(name) === 'cli') {
      throw new UsageError(`kelp ${pathOf(command).join(' ')} has no option ${option.long}`);
    }
  }
}

export interface Session {
  readonly client: KelpClient;
  readonly output: Output;
  readonly stdin: Readable;
  /** Whether to print JSON. */
  readonly isJson: boolean;
  /** How keys are typed and printed. */
  readonly keys: KeyForm;
  /** Holds the deadline that was asked for, if one was: for calls that by default have a longer one of their own. */
  readonly askedFor: CallOptions;
}

/** Runs commands and keeps the code that the process is to exit with. */
export class SessionRunner {
  exitCode: ExitCode = exitCode.ok;
  readonly surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
  }

  /**
   * Runs a task with a client that the options of its command lead to; what it returns is the exit code.
   * @param retries by default none: somebody waits for the answer, and can try again by themselves.
   */
  async run(
    command: Command,
    task: (session: Session) => Promise<ExitCode | void>,
    retries = 0,
  ): Promise<void> {
    const flags = command.optsWithGlobals<ClientFlags>();
    const { stdin, output } = this.surroundings;
    await using client = await openClient(flags, retries);
    const isAskedFor = command.getOptionValueSourceWithGlobals('timeout') === 'cli';
    const askedFor = isAskedFor ? { deadlineMs: flags.timeout } : {};
    const keys = keyFormOf(flags);
    const outcome = await task({ client, output, stdin, isJson: flags.json === true, keys, askedFor });
    this.exitCode = outcome ?? exitCode.ok;
  }
}

export function keyFormOf({ hexKeys: isHex }: Pick<ClientFlags, 'hexKeys'>): KeyForm {
  return isHex === true ? hexKeys : textKeys;
}

async function openClient(
  { address, tls, tlsCa, timeout }: ClientFlags,
  retries: number,
): Promise<KelpClient> {
  const isTls = tls === true || address.startsWith('https://');
  const { createClient } = await import('../../client/client.ts');
  try {
    return createClient({
      address,
      deadlineMs: timeout,
      retries,
      ...(isTls && { tls: tlsCa === undefined ? true : { ca: await readCertificates(tlsCa) } }),
    });
  } catch (error) {
    throw isKelpError(error, 'invalidArgument') ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function readCertificates(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UsageError(`--tls-ca: can't read ${path}: ${systemReason(error)}`, { cause: error });
  }
}
