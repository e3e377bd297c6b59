/**
 * The parameters of a query (`?ttl=30s&lease=7`), each of which stands in the table of its operation with the kind of its
 * value. One that is not known is refused, and so is one that is given twice: it could be the condition of a write.
 */
import { Consistency } from '../../../gen/kelp/v1/types_codec.ts';
import type { Key } from '../../api.ts';
import { nearestName } from '../../arguments/nearest-name.ts';
import { StoreError } from '../../errors.ts';
import { fixed, serverFixed } from '../../limits.ts';
import { OptionError, parseDurationMs } from '../config/option-values.ts';
import type { ReadDemand } from '../services/read-demand.ts';
import { percentDecoded, percentDecodedText } from './percent.ts';

/**
 * Reads the value of a parameter as it stands in the query. Throws `invalidArgument`.
 * @param name of the parameter, for errors.
 */
export type ReadParameter<Value = unknown> = (encoded: string, name: string) => Value;

export type QueryTable = Readonly<Record<string, ReadParameter>>;

/** The parameters that were given. */
export type QueryOf<Table extends QueryTable> = {
  readonly [name in keyof Table]?: ReturnType<Table[name]>;
};

const NO_PARAMETERS = Object.freeze({});

/** @param query what stands behind the `?`. Throws `invalidArgument`. */
export function readQuery<Table extends QueryTable>(table: Table, query: string): QueryOf<Table> {
  if (query === '') return NO_PARAMETERS;
  const given: Record<string, unknown> = {};
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = percentDecodedText(at < 0 ? pair : pair.slice(0, at), 'the name of a parameter', true);
    const read = Object.hasOwn(table, name) ? table[name] : undefined;
    if (read === undefined) throw unknownParameter(name, Object.keys(table));
    if (Object.hasOwn(given, name)) throw wrong(name, 'is given twice; give it once');
    given[name] = read(at < 0 ? '' : pair.slice(at + 1), name);
  }
  return given as QueryOf<Table>;
}

/** A key, or a part of one: any bytes. */
export const keyParameter: ReadParameter<Key> = (encoded, name) => percentDecoded(encoded, name, true);

export const textParameter: ReadParameter<string> = (encoded, name) =>
  percentDecodedText(encoded, name, true);

export const flagParameter: ReadParameter<boolean> = (encoded, name) => {
  if (encoded === 'true') return true;
  if (encoded === 'false') return false;
  throw wrong(name, `must be true or false, not ${quoted(encoded)}`);
};

/** A revision, lease id or limit: 0 to 2^53 - 1. */
export const wholeNumberParameter: ReadParameter<number> = (encoded, name) => {
  const value = /^\d{1,16}$/.test(encoded) ? Number(encoded) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw wrong(name, `must be a whole number from 0 to ${fixed.integerMax}, not ${quoted(encoded)}`);
};

/** A length of time with its unit, in milliseconds: `500ms`, `30s`, `1h30m`, `7d`. */
export const durationParameter: ReadParameter<number> = (encoded, name) => {
  const text = percentDecodedText(encoded, name, true);
  try {
    return parseDurationMs(text);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw wrong(
      name,
      `must be a length of time with its unit, such as 500ms, 30s, 1h30m or 7d, not ${quoted(text)}`,
    );
  }
};

/** A time to live: 1 ms to 100 years. */
export const timeToLiveParameter: ReadParameter<number> = (encoded, name) => {
  const ms = durationParameter(encoded, name);
  if (ms < 1 || ms > fixed.ttlMsMax) {
    throw wrong(name, `must be 1ms to 100 years (36500d), or left out for ever, not ${quoted(encoded)}`);
  }
  return ms;
};

/** How new a read must be, as the number of kelp.v1.Consistency. */
export const consistencyParameter: ReadParameter<number> = (encoded, name) => {
  if (encoded === 'linearizable') return Consistency.LINEARIZABLE;
  if (encoded === 'local') return Consistency.LOCAL;
  throw wrong(name, `must be linearizable or local, not ${quoted(encoded)}`);
};

/** What each read takes; see `services/read-demand.ts`. */
export const readParameters = {
  consistency: consistencyParameter,
  min_revision: wholeNumberParameter,
} as const;

/** What a read asks for by them. */
export function demandIn(query: QueryOf<typeof readParameters>): ReadDemand {
  return { consistency: query.consistency ?? Consistency.UNSPECIFIED, minRevision: query.min_revision ?? 0 };
}

function unknownParameter(name: string, known: readonly string[]): StoreError {
  const nearest = nearestName(name, known);
  const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  const all = known.length === 0 ? 'there are none here' : `there are ${known.join(', ')}`;
  return new StoreError('invalidArgument', `there is no parameter ${quoted(name)}${meant} (${all})`);
}

function wrong(name: string, why: string): StoreError {
  return new StoreError('invalidArgument', `the parameter ${name} ${why}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, serverFixed.pathCharactersMax));
}
