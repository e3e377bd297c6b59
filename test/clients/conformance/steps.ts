/** The steps of the conformance script, as the files of `clients/conformance` hold them: its README says what each does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface JsonObject {
  readonly [name: string]: Json;
}

/** What an answer must be; neither: it is not looked at. */
export interface Expected {
  readonly ok?: JsonObject;
  readonly error?: JsonObject;
}

interface OfClient {
  readonly client?: string;
}

export type ServerAction =
  'start' | 'stop' | 'kill' | 'pause' | 'resume' | 'fail' | 'hold' | 'held' | 'letGo' | 'compact' | 'wipe';

export type DriverAction = 'kill' | 'pause' | 'resume';

export type Step =
  | (OfClient & Expected & { readonly do: JsonObject })
  | (OfClient & Expected & { readonly until: JsonObject })
  | (OfClient & { readonly begin: JsonObject; readonly as: string })
  | (Expected & { readonly await: string })
  | { readonly pending: string }
  | { readonly server: ServerAction; readonly of?: string }
  | (OfClient & { readonly driver: DriverAction });

export interface ServerSpec {
  /** Default true. */
  readonly isStarted?: boolean;
  /** Default false. */
  readonly tls?: boolean;
  /** With one access is closed: this user may read and write the keys with the prefix, and nothing else. */
  readonly user?: { readonly name: string; readonly password: string; readonly prefix: string };
}

export interface Script {
  readonly name: string;
  /** Default: one, `main`. */
  readonly servers?: Readonly<Record<string, ServerSpec>>;
  readonly steps: readonly Step[];
}

const FOLDER = join(process.cwd(), 'clients/conformance');

export const SUBJECTS = [
  'basics',
  'conditions',
  'transactions',
  'scan',
  'errors',
  'retries',
  'effects',
  'read-only',
  'watch',
  'leases',
  'locks',
  'addresses',
  'access',
] as const;

export type Subject = (typeof SUBJECTS)[number];

export function scriptsOf(subject: Subject): readonly Script[] {
  return JSON.parse(readFileSync(join(FOLDER, `${subject}.json`), 'utf8')) as readonly Script[];
}
