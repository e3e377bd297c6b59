/** The compose files of deploy/, read, with what a container is told by the image's own environment. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string };
  readonly pull_policy?: string;
  readonly command?: readonly string[];
  readonly ports: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly mem_limit: string;
  readonly stop_grace_period?: string;
  readonly restart: string;
}

export interface ComposeFile {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets?: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** What would give a container more of the machine than it needs; none of it stands in these files. */
export const grantKeys = ['privileged', 'network_mode', 'pid', 'ipc', 'cap_add', 'devices', 'userns_mode'];

export function readCompose(path: string): ComposeFile {
  return parse(readFileSync(path, 'utf8'), { merge: true }) as ComposeFile;
}

/** A mapping `127.0.0.1:9001:7379`. */
export function portOf(mapping: string): { host: string; published: number; target: number } {
  const [, host = '', published, target] = /^(.*):(\d+):(\d+)$/.exec(mapping) ?? [];
  return { host, published: Number(published), target: Number(target) };
}

/** A mount `SOURCE:TARGET[:ro]`; `isFile`: of this repository, not a named volume. */
export function mountOf(text: string): {
  source: string;
  target: string;
  isFile: boolean;
  isReadOnly: boolean;
} {
  const [source = '', target = '', mode] = text.split(':');
  return { source, target, isFile: source.startsWith('.'), isReadOnly: mode === 'ro' };
}

/** The variables that the image of KelpDB sets. */
export function imageEnvironment(): Record<string, string> {
  const dockerfile = readFileSync('Dockerfile', 'utf8');
  const [, line = ''] = /^ENV (.*)$/m.exec(dockerfile) ?? [];
  return Object.fromEntries(line.split(' ').map((pair) => pair.split('=') as [string, string]));
}
