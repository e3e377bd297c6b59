/**
 * Checks of what a caller hands in, for programs that have no types: is it of the kind that is wanted?
 *
 * A check says what is wrong as the rest of a sentence that begins with the name of the value, so that the name is put
 * together only when there is something to say:
 *
 * ```ts
 * text(5);                              // ' is the number 5; it must be text'
 * named('key', text(5));                // 'key is the number 5; it must be text'
 * listOf(text, 'texts')(['a', null]);   // '[1] is null; it must be text'
 * ```
 *
 * What passes costs no memory. Both faces, the store in process and the client, throw what is said here as their own
 * `invalidArgument`.
 */
import { nearestName } from './nearest-name.ts';

export interface Check<in out Value> {
  /** @returns what is wrong, to be put behind the name of the value; `undefined`: nothing. */
  (value: unknown): string | undefined;
  /** Whether a member may not be left out; see `required`. */
  readonly isRequired?: false;
  /** Never there; it ties a check to the type of what passes. */
  readonly passes?: (value: Value) => Value;
}

/** The check of a member that must be given. */
export interface RequiredCheck<in out Value> extends Omit<Check<Value>, 'isRequired'> {
  (value: unknown): string | undefined;
  readonly isRequired: true;
}

export function required<Value>(check: Check<Value>): RequiredCheck<Value> {
  return Object.assign((value: unknown) => check(value), { isRequired: true as const });
}

/** Puts the name before what a check says. */
export function named(name: string, complaint: string | undefined): string | undefined {
  return complaint === undefined ? undefined : name + complaint;
}

/** What a check says of a value of the wrong kind. */
export function mustBe(value: unknown, wanted: string): string {
  return value === undefined
    ? ` is missing; it must be ${wanted}`
    : ` is ${describe(value)}; it must be ${wanted}`;
}

/** What a check says of a name that is not known. */
export function unknownName(name: string, what: string, known: readonly string[]): string {
  return ` has no ${what} ${quoted(name)}${suggestion(name, known)}; there are ${known.join(', ')}`;
}

/** Half a surrogate pair has no form in UTF-8: an encoder would put U+FFFD in its place, and so name another key. */
export const text: Check<string> = (value) => {
  if (typeof value !== 'string') return mustBe(value, 'text');
  return value.isWellFormed() ? undefined : ' holds half a surrogate pair, which is no text';
};

export const flag: Check<boolean> = (value) =>
  typeof value === 'boolean' ? undefined : mustBe(value, 'true or false');

export function wholeNumber(min: number, max: number): Check<number> {
  return (value) =>
    Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max
      ? undefined
      : mustBe(value, `a whole number from ${min} to ${max}`);
}

/** @param wanted which numbers `isWanted` takes. */
export function numberThat(isWanted: (value: number) => boolean, wanted: string): Check<number> {
  return (value) => (typeof value === 'number' && isWanted(value) ? undefined : mustBe(value, wanted));
}

/** One of some texts. */
export function oneOf<Name extends string>(names: readonly Name[]): Check<Name> {
  return (value) => {
    if ((names as readonly unknown[]).includes(value)) return undefined;
    const wanted = names.length === 1 ? String(names[0]) : `one of ${names.join(', ')}`;
    const near = typeof value === 'string' ? suggestion(value, names) : '';
    return value === undefined
      ? mustBe(value, wanted)
      : ` is ${describe(value)}${near}; it must be ${wanted}`;
  };
}

/** @param what its items, in the plural. */
export function listOf<Item>(check: Check<Item>, what: string): Check<readonly Item[]> {
  return (value) => {
    if (!Array.isArray(value)) return mustBe(value, `an array of ${what}`);
    // By index, since a loop over the items would pass over the holes of an array.
    for (let index = 0; index < value.length; index++) {
      const complaint = check(value[index]);
      if (complaint !== undefined) return `[${index}]${complaint}`;
    }
    return undefined;
  };
}

/** A function; with which arguments it gets along shows only when it is called. */
export function callback<Callback extends (...given: never) => unknown>(): Check<Callback> {
  return (value) => (typeof value === 'function' ? undefined : mustBe(value, 'a function'));
}

/** A class of the platform's, such as `AbortSignal`: what only looks like one is not enough for the platform. */
export function instanceOf<Instance>(type: {
  readonly name: string;
  new (...args: never): Instance;
}): Check<Instance> {
  return (value) => (value instanceof type ? undefined : mustBe(value, `an ${type.name}`));
}

/** What a caller handed in, in the words of a message. */
function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `the text ${quoted(value)}`;
    case 'number':
      return `the number ${value}`;
    case 'bigint':
      return `the bigint ${shortened(String(BigInt.asIntN(256, value)))}`;
    case 'function':
      return 'a function';
    case 'symbol':
      return 'a symbol';
    case 'object':
      return value === null ? 'null' : describeObject(value);
    default:
      return String(value);
  }
}

function describeObject(value: object): string {
  if (Array.isArray(value)) return 'an array';
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (tag === 'Promise') return 'a Promise (is an await missing?)';
  return tag === 'Object' ? 'an object' : `an object of type ${shortened(tag)}`;
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
}

/** A message goes to logs and screens, whatever was handed in. */
const SHOWN_LENGTH_MAX = 40;

function quoted(value: string): string {
  return JSON.stringify(shortened(value));
}

function shortened(value: string): string {
  return value.length <= SHOWN_LENGTH_MAX ? value : `${value.slice(0, SHOWN_LENGTH_MAX).toWellFormed()}...`;
}
