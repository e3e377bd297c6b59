/** What the commands that talk to a server share: the options that lead to it, the client, the output. */
import type { Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import type { KelpClient } from '../../client/client.ts';
import type { Credentials, CredentialsSource } from '../../client/calls/credentials.ts';
import type { TlsOptions } from '../../client/connection/socket.ts';
import { isKelpError } from '../../client/errors/error.ts';
import type { CallOptions, Consistency } from '../../client/messages/types.ts';
import { client as limits } from '../../limits.ts';
import { formatDurationMs } from '../../server/config/option-values.ts';
import { duration } from '../command-line/argument.ts';
import { pathOf } from '../command-line/command-path.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import { UsageError } from '../../shell-words/usage-error.ts';
import { type KeyForm, hexKeys, textKeys } from '../command-line/key-form.ts';
import { readPem } from './pem-file.ts';
import type { Output } from '../terminal/output.ts';
import {
  type Login,
  type LoginFlags,
  chooseLogin,
  loginEnvironmentNames,
  loginOptions,
  namingLogin,
} from './login.ts';

/** What a command runs in. */
export interface Surroundings {
  readonly stdin: Readable;
  readonly output: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The `KELP_*` variables of the commands that talk to a server; `kelp serve` passes over them. */
export const clientEnvironmentNames = [
  'KELP_ADDRESS',
  'KELP_TLS_CA',
  'KELP_TLS_CLIENT_CERT',
  'KELP_TLS_CLIENT_KEY',
  ...loginEnvironmentNames,
];

interface ClientFlags extends LoginFlags {
  readonly address: string;
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsClientCert?: string;
  readonly tlsClientKey?: string;
  readonly allowPlaintextLogin?: boolean;
  readonly timeout: number;
  readonly json?: boolean;
  readonly hexKeys?: boolean;
  /** Of commands that read: see `consistencyOption`. */
  readonly consistency?: Consistency;
}

const DEFAULT_ADDRESS = '127.0.0.1:7379';

/** Options of the program, which can stand before or after the name of a command. */
export function clientOptions(environment: Surroundings['environment']): Option[] {
  const { KELP_ADDRESS: address, KELP_TLS_CA: tlsCa } = environment;
  const { KELP_TLS_CLIENT_CERT: tlsClientCert, KELP_TLS_CLIENT_KEY: tlsClientKey } = environment;
  return [
    new Option(
      '--address <address>',
      'server: host:port, :port on this machine, https://host:port, or unix:PATH; several of one cluster with commas between (env: KELP_ADDRESS)',
    ).default(address || DEFAULT_ADDRESS),
    new Option('--tls', 'use TLS; the same as an address with https://'),
    new Option('--tls-ca <file>', 'PEM file of certificates to trust with TLS (env: KELP_TLS_CA)').default(
      tlsCa || undefined,
    ),
    new Option(
      '--tls-client-cert <file>',
      'PEM file of the certificate to log in with over TLS (env: KELP_TLS_CLIENT_CERT)',
    ).default(tlsClientCert || undefined),
    new Option('--tls-client-key <file>', 'PEM file of its key (env: KELP_TLS_CLIENT_KEY)').default(
      tlsClientKey || undefined,
    ),
    ...loginOptions(),
    new Option(
      '--allow-plaintext-login',
      'send a password or token to another machine without TLS, where others can read it',
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
  /**
   * A client of that server of `--address` which is at a `HOST:PORT`, for what it alone knows; `undefined`: it is not among them, and a login is
   * not sent where the user has not said.
   */
  readonly clientOf: (address: string) => Promise<KelpClient | undefined>;
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
   * @param retries by default none: somebody waits for the answer, and can try again by themselves. With the addresses of a cluster it is
   * tried for as long as the call may take, since another node takes over meanwhile.
   */
  async run(
    command: Command,
    task: (session: Session) => Promise<ExitCode | void>,
    retries = 0,
  ): Promise<void> {
    const flags = command.optsWithGlobals<ClientFlags>();
    const { stdin, output } = this.surroundings;
    const isJson = flags.json === true;
    if (!usesTls(flags)) refuseCertificate(command);
    const login = chooseLogin(flags, this.surroundings.environment);
    if (login.kind !== 'none') await refusePlaintext(flags);
    const credentials = await this.#credentials(login, isJson);
    await using client = await openClient(flags, retries, credentials);
    const clientOf = async (asked: string): Promise<KelpClient | undefined> => {
      const address = await givenAddressOf(flags, asked);
      return address === undefined ? undefined : openClient({ ...flags, address }, retries, credentials);
    };
    const isAskedFor = command.getOptionValueSourceWithGlobals('timeout') === 'cli';
    const askedFor = isAskedFor ? { deadlineMs: flags.timeout } : {};
    const keys = keyFormOf(flags);
    try {
      const outcome = await task({ client, clientOf, output, stdin, isJson, keys, askedFor });
      this.exitCode = outcome ?? exitCode.ok;
    } catch (error) {
      throw namingLogin(error, login);
    }
  }

  /** What reads and asks is loaded where there is a login. */
  async #credentials(login: Login, isJson: boolean): Promise<Credentials | CredentialsSource | undefined> {
    if (login.kind === 'none') return undefined;
    const { credentialsOf } = await import('./credentials.ts');
    return credentialsOf(login, this.surroundings, isJson);
  }
}

export function keyFormOf({ hexKeys: isHex }: Pick<ClientFlags, 'hexKeys'>): KeyForm {
  return isHex === true ? hexKeys : textKeys;
}

function usesTls({ tls, address }: ClientFlags): boolean {
  return tls === true || addressesIn(address).some((each) => each.startsWith('https://'));
}

/** The servers that `--address` names, with commas between. A socket is the last: its path may have commas of its own. */
function addressesIn(given: string): string[] {
  const socketAt = given.search(/(?<=^|,)unix:/);
  if (socketAt === -1) return given.split(',');
  return [...given.slice(0, socketAt).split(',').slice(0, -1), given.slice(socketAt)];
}

/** How `--address` names the server at a `HOST:PORT`; `undefined`: it does not. */
async function givenAddressOf(flags: ClientFlags, asked: string): Promise<string | undefined> {
  const { parseAddresses } = await import('../../client/connection/address.ts');
  const servers = parseAddresses(addressesIn(flags.address), usesTls(flags));
  return servers.find(({ text }) => text.endsWith(`//${asked}`))?.text;
}

/** One of the environment may be for other servers. */
function refuseCertificate(command: Command): void {
  for (const [name, option] of [
    ['tlsClientCert', '--tls-client-cert'],
    ['tlsClientKey', '--tls-client-key'],
  ] as const) {
    if (command.getOptionValueSourceWithGlobals(name) === 'cli') {
      throw new UsageError(`${option} is for TLS; add --tls, or https:// to the address`);
    }
  }
}

/** Before a password is asked for. */
async function refusePlaintext(flags: ClientFlags): Promise<void> {
  const { parseAddresses } = await import('../../client/connection/address.ts');
  const addresses = await usageErrorFrom(() => parseAddresses(addressesIn(flags.address), usesTls(flags)));
  const open = addresses.find(({ isTls, isLocal }) => !isTls && !isLocal);
  if (open === undefined || flags.allowPlaintextLogin === true) return;
  throw new UsageError(
    `the login would go to ${open.text} in plain text, which everyone on the way can read; use --tls, or allow it with --allow-plaintext-login`,
  );
}

/** What the client finds wrong with what was typed. */
async function usageErrorFrom<Result>(make: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await make();
  } catch (error) {
    throw isKelpError(error, 'invalidArgument') ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function openClient(
  flags: ClientFlags,
  retries: number,
  credentials: Credentials | CredentialsSource | undefined,
): Promise<KelpClient> {
  const { timeout, consistency } = flags;
  const isTls = usesTls(flags);
  const addresses = addressesIn(flags.address);
  const { createClient } = await import('../../client/client.ts');
  return usageErrorFrom(async () =>
    createClient({
      addresses,
      deadlineMs: timeout,
      ...(addresses.length === 1 && { retries }),
      ...(consistency !== undefined && { consistency }),
      ...(isTls && { tls: await tlsOptionsOf(flags) }),
      ...(credentials !== undefined && { credentials, allowPlaintextCredentials: true }),
    }),
  );
}

async function tlsOptionsOf({ tlsCa, tlsClientCert, tlsClientKey }: ClientFlags): Promise<TlsOptions> {
  if ((tlsClientCert === undefined) !== (tlsClientKey === undefined)) {
    const [given, missing] =
      tlsClientKey === undefined
        ? ['--tls-client-cert', '--tls-client-key']
        : ['--tls-client-key', '--tls-client-cert'];
    throw new UsageError(`${given} needs a ${missing} beside it: a certificate logs in with its key`);
  }
  return {
    ...(tlsCa !== undefined && { ca: await readPem('--tls-ca', tlsCa) }),
    ...(tlsClientCert !== undefined && { cert: await readPem('--tls-client-cert', tlsClientCert) }),
    ...(tlsClientKey !== undefined && { key: await readPem('--tls-client-key', tlsClientKey) }),
  };
}
