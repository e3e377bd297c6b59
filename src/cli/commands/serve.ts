/** `serve`. */
import { type Command, Option } from 'commander';
import { type SettableLimit, defaults, limitOptionName, serverDefaults } from '../../limits.ts';
import {
  type ServerOption,
  configOption,
  environmentName,
  formatNumber,
  serverOptions,
} from '../../server/config/server-options.ts';
import { type Surroundings, refuseClientOptions } from '../session/session.ts';

export function addServeCommand(program: Command, { environment }: Surroundings): void {
  const serve = program
    .command('serve')
    .description('run a server')
    // The descriptions tell choices with the rest.
    .configureHelp({ showGlobalOptions: false, optionDescription: ({ description }) => description })
    .addHelpText('after', help);
  const options = [configOption, ...serverOptions].map((option) => ({
    name: option.name,
    flag: flagOf(option),
    group: groupOf(option.name),
  }));
  for (const { flag, group } of options) serve.addOption(flag.helpGroup(group));
  serve.action(async (values: Record<string, string | true | undefined>, command: Command) => {
    refuseClientOptions(command);
    const flags = Object.fromEntries(
      options.map(({ name, flag }) => [name, values[flag.attributeName()]?.toString()]),
    );
    // The other commands start faster for not having loaded a server.
    const { runServer } = await import('../tasks/serve.ts');
    await runServer(flags, environment);
  });
}

const placeholderByType: Record<Exclude<ServerOption['type'], 'switch'>, string> = {
  text: 'text',
  path: 'path',
  choice: 'name',
  origins: 'origin',
  integer: 'count',
  bytes: 'size',
  duration: 'time',
};

/** The value is checked where those of the environment and the file are. */
function flagOf(option: ServerOption): Option {
  const { name, type, choices } = option;
  const value = type === 'switch' ? '' : ` <${placeholderByType[type]}>`;
  const flag = new Option(`--${name}${value}`, describe(option));
  // For completion.
  if (choices !== undefined) flag.argChoices = [...choices];
  if (type === 'origins') {
    flag.argParser((text, before: string | undefined) => (before === undefined ? text : `${before},${text}`));
  }
  return flag;
}

/** Defaults stand in the text and not in Commander's own: it must stay clear what was given on the command line. */
function describe(option: ServerOption): string {
  const { name, type, description, defaultText, plainVariable, choices, min, max } = option;
  const facts = [
    ...(choices === undefined ? [] : [choices.join(', ')]),
    ...(min === undefined || max === undefined
      ? []
      : [`${formatNumber(type, min)} to ${formatNumber(type, max)}`]),
    ...(defaultText === undefined ? [] : [`default: ${defaultText}`]),
    `env: ${[environmentName(name), ...(plainVariable === undefined ? [] : [plainVariable])].join(' or ')}`,
  ];
  return `${description} (${facts.join('; ')})`;
}

const storeLimitNames = new Set((Object.keys(defaults) as SettableLimit[]).map(limitOptionName));
const serverLimitNames = new Set((Object.keys(serverDefaults) as SettableLimit[]).map(limitOptionName));

function groupOf(name: string): string {
  if (storeLimitNames.has(name)) return 'Limits of the store:';
  if (serverLimitNames.has(name)) return 'Limits of the server:';
  return 'Options:';
}

const help = `
Sizes have a unit (B, KiB, MiB, GiB), and times too (ms, s, m, h, d; 1h30m). Options come from the command line, the
environment, ./kelp.yaml ("fsync: interval", one in a line) and the defaults, in this order of precedence. PORT (the port
alone, on 127.0.0.1), DATA_DIR and VOLUME_ID of the environment come behind the file.

On an address that other machines reach it starts only with a decision about access: users, by --root-password-file (or in
the store already), with TLS or --allow-plaintext; or --allow-anonymous. kelp access reset helps with a lost password.

SIGTERM and SIGINT stop the server. A second one, half a second later or more, ends it at once and loses nothing that was
acknowledged. SIGHUP has the TLS files read again, which happens by itself some seconds after they change.

Examples:
  kelp serve
  kelp serve --listen :7379 --root-password-file root.password --tls-cert kelp.pem --tls-key kelp.key
  KELP_FSYNC=interval kelp serve --fsync-interval 100ms`;
