/** The driver of the TypeScript client, over its public API. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  type ClientOptions,
  type Compare,
  type Condition,
  type Entry,
  type Held,
  type KelpClient,
  KelpError,
  type Key,
  type Leader,
  type LeaseHandle,
  type Operation,
  type OperationResult,
  type WatchMessage,
  type WatchRequest,
  createClient,
} from '../../../src/client/index.ts';
import type { Json, JsonObject } from './steps.ts';

/** What a request asks for; only what the op takes is looked at. */
interface Fields {
  readonly addresses: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly caFile?: string;
  readonly key: Json;
  readonly value: Json;
  readonly revision?: number;
  readonly ifModRevision?: number;
  readonly ifAbsent?: boolean;
  readonly ifPresent?: boolean;
  readonly ttlMs?: number;
  readonly lease?: string;
  readonly prefix?: string;
  readonly start?: string;
  readonly end?: string;
  readonly limit?: number;
  readonly reverse?: boolean;
  readonly keysOnly?: boolean;
  readonly pageSize?: number;
  readonly delta: number;
  readonly compares?: readonly CompareFields[];
  readonly guards?: readonly string[];
  readonly success?: readonly OperationFields[];
  readonly failure?: readonly OperationFields[];
  readonly name: string;
  readonly as: string;
  readonly startRevision?: number;
  readonly includeCurrent?: boolean;
  readonly events: number;
  readonly deadlineMs?: number;
}

interface CompareFields {
  readonly key: Json;
  readonly exists?: boolean;
  readonly modRevision?: number;
  readonly value?: Json;
}

interface OperationFields {
  readonly op: string;
  readonly key: Json;
  readonly value: Json;
  readonly delta: number;
}

/** One is put in the place of another by a test, to see that the script fails. */
export type Ops = Record<string, (fields: Fields) => Promise<JsonObject>>;

interface OpenWatch {
  /** In their order, those that were not asked for yet. */
  readonly events: AsyncGenerator<JsonObject, void, undefined>;
  failure?: Error;
}

export class TypescriptDriver {
  readonly leases = new Map<string, LeaseHandle>();
  readonly held = new Map<string, Held>();
  readonly #watches = new Map<string, OpenWatch>();
  #client: KelpClient | undefined;

  get client(): KelpClient {
    if (this.#client === undefined) throw new Error('no client was opened');
    return this.#client;
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  /** What is read for a watch. */
  watch(request: WatchRequest): AsyncIterable<WatchMessage> {
    return this.client.watch(request);
  }

  readonly ops: Ops = {
    open: async ({ addresses, user, password = '', token, caFile, deadlineMs }) => {
      this.close();
      const credentials: ClientOptions['credentials'] =
        token !== undefined ? { token } : user !== undefined ? { user, password } : undefined;
      this.#client = createClient({
        addresses,
        ...(deadlineMs !== undefined && { deadlineMs }),
        ...(credentials && { credentials }),
        ...(caFile !== undefined && { tls: { ca: readFileSync(caFile) } }),
      });
      return {};
    },
    get: async ({ key, revision, deadlineMs }) => {
      const found = await this.client.get(toKey(key), given({ revision, deadlineMs }));
      return { entry: found.entry === undefined ? null : entryJson(found.entry), revision: found.revision };
    },
    put: async (fields) => {
      const { key, value, ttlMs, lease, deadlineMs } = fields;
      const leaseId = lease === undefined ? undefined : mapped(this.leases, lease).id;
      const condition = conditionOf(fields);
      const options = given({ condition, ttlMs, leaseId, deadlineMs });
      const { revision } = await this.client.put(toKey(key), toKey(value), options);
      return { revision };
    },
    delete: async (fields) => {
      const { key, deadlineMs } = fields;
      const condition = conditionOf(fields);
      const { deleted, revision } = await this.client.delete(toKey(key), given({ condition, deadlineMs }));
      return { deleted, revision };
    },
    scan: async ({ prefix, start, end, revision, limit, reverse, keysOnly, pageSize, deadlineMs }) => {
      const range = prefix === undefined ? given({ start, end }) : { prefix };
      const options = given({ revision, limit, reverse, keysOnly, pageSize, deadlineMs });
      const entries = await this.client.scan(range, options).toArray();
      return { entries: entries.map((entry) => ({ key: keyJson(entry), value: bytesJson(entry.value) })) };
    },
    increment: async ({ key, delta, deadlineMs }) => {
      const { value, revision } = await this.client.increment(toKey(key), delta, given({ deadlineMs }));
      return { value: String(value), revision };
    },
    txn: async ({ compares = [], guards = [], success = [], failure = [], deadlineMs }) => {
      const request = {
        compares: [...compares.map(toCompare), ...guards.map((as) => mapped(this.held, as).guard)],
        success: success.map(toOperation),
        failure: failure.map(toOperation),
      };
      const { succeeded, revision, results } = await this.client.txn(request, given({ deadlineMs }));
      return { succeeded, revision, results: results.map(resultJson) };
    },
    lease: async ({ name, ttlMs = 0, deadlineMs }) => {
      this.leases.set(name, (await this.client.leases.grant(ttlMs, given({ deadlineMs }))).keepAlive());
      return {};
    },
    leaseLost: async ({ name }) => {
      await aborted(mapped(this.leases, name).signal);
      return {};
    },
    revoke: async ({ name, deadlineMs }) => {
      await mapped(this.leases, name).revoke(given({ deadlineMs }));
      return {};
    },
    watch: async ({ name, prefix, key, startRevision, includeCurrent }) => {
      const ranges = prefix !== undefined ? [{ prefix }] : key !== undefined ? [{ key: toKey(key) }] : [];
      const request = { ranges, ...given({ startRevision, includeCurrent }) };
      this.#watches.set(name, { events: eventsOf(this.watch(request)) });
      return {};
    },
    next: async ({ name, events: count }) => {
      const watch = mapped(this.#watches, name);
      if (watch.failure !== undefined) throw watch.failure;
      const events: JsonObject[] = [];
      while (events.length < count) {
        try {
          const { value } = await watch.events.next();
          if (value === undefined) throw new Error('the watch has ended');
          events.push(value);
        } catch (error) {
          watch.failure = error as Error;
          throw error;
        }
      }
      return { events };
    },
    endWatch: async ({ name }) => {
      await mapped(this.#watches, name).events.return();
      this.#watches.delete(name);
      return {};
    },
    lock: async ({ name, as, ttlMs }) =>
      this.#keep(as, await this.client.recipes.lock(name, given({ ttlMs }))),
    unlock: async ({ as, deadlineMs }) => {
      await mapped(this.held, as).release(given({ deadlineMs }));
      return {};
    },
    lockLost: async ({ as }) => {
      await aborted(mapped(this.held, as).signal);
      return {};
    },
    elect: async ({ name, as, value, ttlMs }) =>
      this.#keep(as, await this.client.recipes.elect(name, { value, ...given({ ttlMs }) })),
    resign: async ({ as, deadlineMs }) => {
      await mapped(this.held, as).release(given({ deadlineMs }));
      return {};
    },
    leader: async ({ name }) => {
      let leader: Leader<Json> | undefined;
      for await (leader of this.client.recipes.leaders<Json>(name)) if (leader !== undefined) break;
      if (leader === undefined) throw new Error('the leaders have ended');
      return { value: leader.value, token: leader.token };
    },
    close: async () => {
      this.close();
      return {};
    },
  };

  #keep(as: string, held: Held): JsonObject {
    this.held.set(as, held);
    return { token: held.token };
  }
}

/** Answers what comes on the standard input, until that ends. */
export async function serve(driver: TypescriptDriver): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) void answer(driver, line);
  driver.close();
  // A wait for a lock or a loss that never came is no reason to stay.
  process.exit();
}

async function answer({ ops }: TypescriptDriver, line: string): Promise<void> {
  const { id, op, ...fields } = JSON.parse(line) as { readonly id: number; readonly op: string } & Fields;
  let answered: JsonObject;
  try {
    const run = ops[op];
    if (run === undefined) throw new Error(`there is no op ${op}`);
    answered = { id, ok: await run(fields) };
  } catch (error) {
    answered = { id, error: errorJson(error) };
  }
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}

function errorJson(error: unknown): JsonObject {
  if (!(error instanceof KelpError))
    return { code: 'driver', message: String(error), mayHaveTakenEffect: false };
  const { code, message, mayHaveTakenEffect, retryAfterMs } = error;
  const details = code === 'conditionFailed' ? (error as KelpError<'conditionFailed'>).details : {};
  return {
    code,
    message,
    mayHaveTakenEffect,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...details,
  };
}

async function* eventsOf(messages: AsyncIterable<WatchMessage>): AsyncGenerator<JsonObject, void, undefined> {
  for await (const message of messages) {
    if (message.kind === 'current') {
      for (const entry of message.entries)
        yield { type: 'current', ...entryJson(entry), revision: entry.modRevision };
    } else if (message.kind === 'events') {
      const { revision } = message;
      for (const event of message.events) {
        if (event.type === 'put') yield { type: 'put', ...entryJson(event.entry), revision };
        else if (event.type === 'delete') yield { type: 'delete', key: keyJson(event), revision };
      }
    } else if (message.kind === 'compacted') {
      const { requestedRevision, oldestRevision, newestRevision } = message;
      const details = { requestedRevision, oldestRevision, newestRevision };
      throw new KelpError('revisionCompacted', `revision ${requestedRevision} is not kept any more`, details);
    }
  }
}

function conditionOf({ ifModRevision, ifAbsent, ifPresent }: Fields): Condition | undefined {
  if (ifModRevision !== undefined) return { kind: 'modRevisionEquals', modRevision: ifModRevision };
  if (ifAbsent === true) return { kind: 'mustNotExist' };
  return ifPresent === true ? { kind: 'mustExist' } : undefined;
}

function toCompare({ key, exists, modRevision, value }: CompareFields): Compare {
  const operand =
    exists !== undefined
      ? ({ kind: 'exists', value: exists } as const)
      : modRevision !== undefined
        ? ({ kind: 'modRevision', value: modRevision } as const)
        : ({ kind: 'value', value: toKey(value ?? null) } as const);
  return { subject: { key: toKey(key) }, relation: 'equal', operand };
}

function toOperation({ op, key: named, value, delta }: OperationFields): Operation {
  const key = toKey(named);
  switch (op) {
    case 'get':
    case 'delete':
      return { kind: op, key };
    case 'put':
      return { kind: op, key, value: toKey(value) };
    case 'increment':
      return { kind: op, key, delta };
    default:
      throw new Error(`there is no operation ${op}`);
  }
}

function resultJson(result: OperationResult): JsonObject {
  switch (result.kind) {
    case 'get':
      return { entry: result.entry === undefined ? null : entryJson(result.entry) };
    case 'delete':
      return { deleted: result.deleted };
    case 'increment':
      return { value: String(result.value) };
    default:
      return {};
  }
}

function entryJson(entry: Entry): JsonObject {
  const { modRevision, createRevision, version } = entry;
  return { key: keyJson(entry), value: bytesJson(entry.value), modRevision, createRevision, version };
}

function keyJson({ key, keyBytes }: { readonly key: string; readonly keyBytes?: Uint8Array }): Json {
  return keyBytes === undefined ? key : bytesJson(keyBytes);
}

function bytesJson(bytes: Uint8Array): Json {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') };
  }
}

/** A key or a value. */
function toKey(json: Json): Key {
  if (typeof json === 'string') return json;
  const { base64 } = json as { readonly base64: string };
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

/** Without the members that are not given. */
function given<Options extends object>(
  options: Options,
): { [Name in keyof Options]: Exclude<Options[Name], undefined> } {
  const members = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(members) as { [Name in keyof Options]: Exclude<Options[Name], undefined> };
}

function mapped<Value>(map: ReadonlyMap<string, Value>, name: string): Value {
  const value = map.get(name);
  if (value === undefined) throw new Error(`nothing is called ${name}`);
  return value;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
