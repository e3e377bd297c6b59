/** What is expected, held against what came, and what was kept of earlier answers. */
import type { Json, JsonObject } from './steps.ts';

export type Kept = Map<string, Json>;

/** A request or a value of it, with what was kept in the place of each `$ref`. */
export function resolved(value: Json, kept: Kept): Json {
  if (isList(value)) return value.map((each) => resolved(each, kept));
  if (!isObject(value)) return value;
  if ('$ref' in value) return referred(value, kept);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, resolved(each, kept)]));
}

/** What differs, a line for each difference. What `$save` and `save` keep is added to `kept`. */
export function differences(expected: Json, actual: Json | undefined, kept: Kept, path = 'it'): string[] {
  if (actual === undefined) return [`${path} is missing; expected ${shown(expected)}`];
  if (isList(expected)) {
    if (!isList(actual)) return [`${path} is ${shown(actual)}; expected a list`];
    if (actual.length !== expected.length) {
      return [`${path} is ${shown(actual)}; expected ${expected.length} of ${shown(expected)}`];
    }
    return expected.flatMap((each, index) => differences(each, actual[index], kept, `${path}[${index}]`));
  }
  if (!isObject(expected)) {
    return Object.is(expected, actual) ? [] : [`${path} is ${shown(actual)}; expected ${shown(expected)}`];
  }
  const [first = ''] = Object.keys(expected);
  if (first.startsWith('$')) return differencesByMatcher(first, expected, actual, kept, path);
  if (!isObject(actual)) return [`${path} is ${shown(actual)}; expected ${shown(expected)}`];
  return Object.entries(expected).flatMap(([name, each]) =>
    differences(each, actual[name], kept, `${path}.${name}`),
  );
}

function differencesByMatcher(
  matcher: string,
  expected: JsonObject,
  actual: Json,
  kept: Kept,
  path: string,
): string[] {
  const argument = expected[matcher] ?? null;
  switch (matcher) {
    case '$save':
      kept.set(nameIn(argument), actual);
      return [];
    case '$ref':
      return differences(referred(expected, kept), actual, kept, path);
    case '$above': {
      const least = numberOf(nameIn(argument), kept);
      const { save } = expected;
      if (typeof actual !== 'number' || actual <= least) {
        return [`${path} is ${shown(actual)}; expected a number above ${least}`];
      }
      if (save !== undefined) kept.set(nameIn(save), actual);
      return [];
    }
    case '$oneOf': {
      if (!isList(argument)) throw new Error(`$oneOf takes a list, not ${shown(argument)}`);
      if (argument.some((each) => differences(each, actual, kept, path).length === 0)) return [];
      return [`${path} is ${shown(actual)}; expected one of ${shown(argument)}`];
    }
    default:
      throw new Error(`there is no matcher ${matcher}`);
  }
}

function referred({ $ref = null, plus = 0 }: JsonObject, kept: Kept): Json {
  const name = nameIn($ref);
  const value = kept.get(name);
  if (value === undefined) throw new Error(`nothing was kept as ${name}`);
  return plus === 0 ? value : numberOf(name, kept) + Number(plus);
}

function numberOf(name: string, kept: Kept): number {
  const value = kept.get(name);
  if (typeof value !== 'number') throw new Error(`what was kept as ${name} is no number: ${shown(value)}`);
  return value;
}

function nameIn(argument: Json): string {
  if (typeof argument !== 'string') throw new Error(`a name is a text, not ${shown(argument)}`);
  return argument;
}

export function shown(value: Json | undefined): string {
  return JSON.stringify(value);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}
