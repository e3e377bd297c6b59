/**
 * Redis as a sequential object: the commands of these histories, one step after the other. A state is never changed; equal
 * states have the same text.
 *
 * A key is a string, a hash or a list by its name, so that no command meets another type.
 */
import { type DecodedReply, SimpleReply } from '../../server/redis/support/decoded-reply.ts';

export type Words = readonly string[];

/** What a connection asks for in one step: a command, or the commands of a transaction, between MULTI and EXEC. */
export interface Step {
  readonly isTransaction: boolean;
  readonly commands: readonly Words[];
}

type Value = string | readonly string[] | ReadonlyMap<string, string>;

export interface State {
  readonly valueByKey: ReadonlyMap<string, Value>;
  /** By connection: the key that it watches, and whether that has changed since. */
  readonly watches: ReadonlyMap<number, { readonly key: string; readonly isChanged: boolean }>;
}

export const EMPTY: State = { valueByKey: new Map(), watches: new Map() };
const OK = new SimpleReply('OK');

/** @returns what the last of its replies is, and what is there behind it. */
export function runStep(state: State, connection: number, step: Step): readonly [DecodedReply, State] {
  if (!step.isTransaction) return runCommand(state, connection, step.commands[0] ?? []);
  const isAborted = state.watches.get(connection)?.isChanged === true;
  const watches = new Map(state.watches);
  watches.delete(connection);
  let next: State = { ...state, watches };
  if (isAborted) return [null, next];
  const replies: DecodedReply[] = [];
  for (const words of step.commands) {
    const [reply, after] = runCommand(next, connection, words);
    replies.push(reply);
    next = after;
  }
  return [replies, next];
}

/** No connection is left. */
export function withoutConnections({ valueByKey }: State): State {
  return { valueByKey, watches: new Map() };
}

export function textOf({ valueByKey, watches }: State): string {
  const values = [...valueByKey].map(([key, value]): [string, unknown] => [
    key,
    value instanceof Map ? [...(value as ReadonlyMap<string, string>)].sort(byFirst) : value,
  ]);
  return JSON.stringify([values.sort(byFirst), [...watches].sort(byFirst)]);
}

function runCommand(state: State, connection: number, words: Words): readonly [DecodedReply, State] {
  const [name = '', key = '', first = '', second = ''] = words;
  const value = state.valueByKey.get(key);
  const text = typeof value === 'string' ? value : undefined;
  const list = Array.isArray(value) ? (value as readonly string[]) : [];
  const hash = value instanceof Map ? (value as ReadonlyMap<string, string>) : new Map<string, string>();
  const put = (after: Value): State => changed(state, key, after);
  switch (name) {
    case 'WATCH': {
      const watch = { key, isChanged: false };
      return [OK, { ...state, watches: new Map(state.watches).set(connection, watch) }];
    }
    case 'GET':
      return [text ?? null, state];
    case 'SET':
      return second === 'NX' && text !== undefined ? [null, state] : [OK, put(first)];
    case 'GETSET':
      return [text ?? null, put(first)];
    case 'APPEND':
      return [(text ?? '').length + first.length, put((text ?? '') + first)];
    case 'INCR': {
      const sum = Number(text ?? 0) + 1;
      return [sum, put(`${sum}`)];
    }
    case 'DEL':
      return value === undefined ? [0, state] : [1, changed(state, key, undefined)];
    case 'HSET':
      return [hash.has(first) ? 0 : 1, put(new Map(hash).set(first, second))];
    case 'HGET':
      return [hash.get(first) ?? null, state];
    case 'HINCRBY': {
      const sum = Number(hash.get(first) ?? 0) + Number(second);
      return [sum, put(new Map(hash).set(first, `${sum}`))];
    }
    case 'HDEL': {
      if (!hash.has(first)) return [0, state];
      const rest = new Map(hash);
      rest.delete(first);
      return [1, changed(state, key, rest.size === 0 ? undefined : rest)];
    }
    case 'LPUSH':
      return [list.length + 1, put([first, ...list])];
    case 'RPOP':
    case 'LPOP': {
      if (list.length === 0) return [null, state];
      const rest = name === 'LPOP' ? list.slice(1) : list.slice(0, -1);
      return [
        list.at(name === 'LPOP' ? 0 : -1) ?? null,
        changed(state, key, rest.length === 0 ? undefined : rest),
      ];
    }
    case 'LRANGE':
      return [list, state];
    default:
      throw new Error(`no history has ${name}`);
  }
}

/** With another value of a key; `undefined`: it is gone. */
function changed(state: State, key: string, value: Value | undefined): State {
  const valueByKey = new Map(state.valueByKey);
  if (value === undefined) valueByKey.delete(key);
  else valueByKey.set(key, value);
  const watches = new Map(state.watches);
  for (const [connection, watch] of watches)
    if (watch.key === key) watches.set(connection, { key, isChanged: true });
  return { valueByKey, watches };
}

function byFirst([a]: readonly [string | number, unknown], [b]: readonly [string | number, unknown]): number {
  return a < b ? -1 : 1;
}
