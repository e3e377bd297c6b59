/** The text of `kelp.example.yaml`: every option of the server with what it does, its bounds and its default. */
import { type SettableLimit, defaults, limitOptionName, serverDefaults } from '../src/limits.ts';
import { type ServerOption, formatNumber, serverOptions } from '../src/server/config/server-options.ts';

const storeLimitNames = new Set((Object.keys(defaults) as SettableLimit[]).map(limitOptionName));
const serverLimitNames = new Set((Object.keys(serverDefaults) as SettableLimit[]).map(limitOptionName));

/** What stands for an option that has no default, so that its line can be taken as it is but for the path. */
const exampleByName: Readonly<Record<string, string>> = {
  'redis-listen': '127.0.0.1:6379',
  'redis-notify-keyspace-events': 'KEA',
  'tls-cert': '/etc/kelp/tls.crt',
  'tls-key': '/etc/kelp/tls.key',
  'tls-client-ca': '/etc/kelp/client-ca.crt',
  'root-password-file': '/etc/kelp/root-password',
  'cors-origin': 'https://app.example.com',
  'otlp-endpoint': 'http://127.0.0.1:4318',
  log: 'etcd://10.0.0.1:2379,10.0.0.2:2379,10.0.0.3:2379/kelp/main',
  'log-ca': '/etc/kelp/etcd-ca.crt',
  'log-cert': '/etc/kelp/etcd-client.crt',
  'log-key': '/etc/kelp/etcd-client.key',
  'log-user': 'kelp',
  'log-password-file': '/etc/kelp/etcd-password',
  advertise: '10.0.1.1:7379',
  'advertise-redis': '10.0.1.1:6379',
  follow: '10.0.0.1:7379',
  'follow-ca': '/etc/kelp/ca.crt',
  'follow-token-file': '/etc/kelp/follow-token',
  'peer-ca': '/etc/kelp/node-ca.crt',
  'peer-token-file': '/etc/kelp/peer-token',
};

const LINE_CHARACTERS_MAX = 100;

const opening = [
  'Every option of the server, with its default.',
  '',
  'kelp serve reads ./kelp.yaml, or the file that --config or KELP_CONFIG names. A flag (--data-dir) comes before the environment (KELP_DATA_DIR), the environment before this file. Take away the # before an option to change it. Sizes have a unit (B, KiB, MiB, GiB), and times too (ms, s, m, h, d). A name that is not known stops the start.',
  '',
  'Made by npm run generate from the table in src/server/config/server-options.ts.',
];

export function exampleConfig(): string {
  const limits = [...storeLimitNames, ...serverLimitNames];
  const groups = [
    ['The server', serverOptions.filter(({ name }) => !limits.includes(name))],
    ['Limits of the store', serverOptions.filter(({ name }) => storeLimitNames.has(name))],
    ['Limits of the server', serverOptions.filter(({ name }) => serverLimitNames.has(name))],
  ] as const;
  const lines = groups.flatMap(([title, options]) => ['', `# ${title}`, ...options.flatMap(linesOf)]);
  return `${[...opening.flatMap(wrapped), ...lines].join('\n')}\n`;
}

function linesOf(option: ServerOption): string[] {
  const { name, type, description, defaultText, choices, min, max } = option;
  const facts = [
    `${description[0]?.toUpperCase()}${description.slice(1)}.`,
    ...(choices === undefined ? [] : [`One of ${choices.join(', ')}.`]),
    ...(min === undefined || max === undefined
      ? []
      : [`${formatNumber(type, min)} to ${formatNumber(type, max)}.`]),
    ...(defaultText === undefined ? ['No default.'] : []),
  ];
  return ['', ...wrapped(facts.join(' ')), `#${name}: ${defaultText ?? exampleByName[name] ?? ''}`];
}

/** Cuts a text into lines of a comment. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= LINE_CHARACTERS_MAX) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(`# ${word}`.trimEnd());
    }
  }
  return lines;
}
