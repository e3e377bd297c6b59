/**
 * Checks of objects by tables: a table names every member with its check, and its type demands that it has those of the
 * interface that it stands for, no more and no less, and requires what that requires. So types, checks and the names in
 * messages can't drift apart.
 */
import { type Check, type RequiredCheck, mustBe, named, oneOf, unknownName } from './check.ts';

/** The checks of all members of `Options`. */
export type Table<Options> = {
  readonly [Name in keyof Options]-?: object extends Pick<Options, Name>
    ? Check<Exclude<Options[Name], undefined>>
    : RequiredCheck<Options[Name]>;
};

/** What a call takes as its options. */
export interface OptionsCheck {
  /** @returns the whole sentence, as it stands in an error; `undefined`: nothing is wrong. */
  (options: unknown): string | undefined;
  readonly names: readonly string[];
}

/** The options of a call that was given none: the one object that needs no look. */
export const noOptions = Object.freeze({});

/** The options of a call whose types are its caller's to extend, none of them required. */
export function optional<Options extends object>(options: Options | undefined): Options {
  return options === undefined ? (noOptions as Options) : options;
}

/**
 * @param call its name, for messages.
 * @param example what to give where there is no object; left out: some of the options.
 */
export function optionsOf<Options>(call: string, table: Table<Options>, example?: string): OptionsCheck {
  const members = new Members(table);
  const { areRequired } = members;
  const wanted = example === undefined ? members.wanted : `an object such as ${example}`;
  const check = (options: unknown): string | undefined => {
    if (options === noOptions) return undefined;
    if (!isRecord(options)) return `options${mustBe(options, wanted)}`;
    if (!areRequired && isBare(options)) return undefined;
    return named(call, members.unknownIn(options, 'option')) ?? members.wrongIn(options, '');
  };
  return Object.assign(check, { names: members.names });
}

/** An object with the members of a table. */
export function shape<Value>(table: Table<Value>): Check<Value> {
  const members = new Members(table);
  return (value) =>
    isRecord(value)
      ? (members.unknownIn(value, 'member') ?? members.wrongIn(value, '.'))
      : mustBe(value, members.wanted);
}

/** Of a union, the alternative of this kind, which its table needs not name. */
type OfKind<Union, Kind> = Union extends { readonly kind: infer Kinds }
  ? Kind extends Kinds
    ? Omit<Union, 'kind'>
    : never
  : never;

/** Objects whose `kind` says which members they have. */
export function byKind<Union extends { readonly kind: string }>(tables: {
  readonly [Kind in Union['kind']]: Table<OfKind<Union, Kind>>;
}): Check<Union> {
  const kinds = Object.keys(tables);
  const isKind = oneOf(kinds);
  const membersByKind = new Map(
    Object.entries<object>(tables).map(([kind, table]) => [kind, new Members({ kind: isKind, ...table })]),
  );
  return (value) => {
    if (!isRecord(value)) return mustBe(value, `an object whose kind is one of ${kinds.join(', ')}`);
    const members = membersByKind.get(value['kind'] as string);
    if (members === undefined) return named('.kind', isKind(value['kind']));
    return members.unknownIn(value, 'member') ?? members.wrongIn(value, '.');
  };
}

/** The checks of the one member that each alternative of a union has. */
type OneOfTable<Union> = UnionToIntersection<
  Union extends unknown ? { readonly [Name in keyof Union]: Check<Union[Name]> } : never
>;

type UnionToIntersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (
  all: infer Intersection,
) => void
  ? Intersection
  : never;

/** Objects with exactly one of some members. */
export function exactlyOne<Union>(table: OneOfTable<Union> & object): Check<Union> {
  const members = new Members(table);
  const wanted = `an object with either ${members.names.join(' or ')}`;
  return (value) => {
    if (!isRecord(value)) return mustBe(value, wanted);
    const unknown = members.unknownIn(value, 'member');
    if (unknown !== undefined) return unknown;
    const given = members.names.filter((name) => name in value);
    if (given.length === 1) return members.wrongIn(value, '.', true);
    return ` has ${given.join(' and ') || 'no member'}; it must be ${wanted}`;
  };
}

interface Member {
  readonly name: string;
  readonly check: (value: unknown) => string | undefined;
  readonly isRequired: boolean;
}

/** The members of a table. */
class Members {
  readonly names: readonly string[];
  readonly #members: readonly Member[];
  readonly #known: ReadonlySet<string>;

  constructor(table: object) {
    const checks: [string, Member['check'] & { readonly isRequired?: boolean }][] = Object.entries(table);
    this.#members = checks.map(([name, check]) => ({ name, check, isRequired: check.isRequired === true }));
    this.names = this.#members.map(({ name }) => name);
    this.#known = new Set(this.names);
  }

  /** Whether there is one that must be given. */
  get areRequired(): boolean {
    return this.#members.some(({ isRequired }) => isRequired);
  }

  /** What is to be given where there is no object. */
  get wanted(): string {
    return this.names.length === 0 ? 'an empty object' : `an object with some of ${this.names.join(', ')}`;
  }

  /** A misspelt name must not be overlooked: it could be the condition of a write. Inherited members count, too. */
  unknownIn(value: object, what: string): string | undefined {
    for (const name in value) {
      // What a program has put on the prototype of all objects was not given here.
      if (!this.#known.has(name) && !(name in Object.prototype)) return unknownName(name, what, this.names);
    }
    return undefined;
  }

  /**
   * @param prefix stands before the name of the member.
   * @param areGiven whether the members that are there may not be `undefined`.
   */
  wrongIn(value: Readonly<Record<string, unknown>>, prefix: string, areGiven = false): string | undefined {
    const members = this.#members;
    // By index: a loop over the items may leave garbage behind.
    for (let index = 0; index < members.length; index++) {
      const member = members[index] as Member;
      const given = value[member.name];
      // An option that is `undefined` counts as left out.
      if (given === undefined && !member.isRequired && !(areGiven && member.name in value)) continue;
      const complaint = member.check(given);
      if (complaint !== undefined) return prefix + member.name + complaint;
    }
    return undefined;
  }
}

/** Whether an object has no members, nor a class that could give it some. */
function isBare(options: object): boolean {
  for (const _ in options) return false;
  return Object.getPrototypeOf(options) === Object.prototype;
}

/** Whether it is an object of named members: not an array, a view, a Promise, a Map, a Date or another of the language's own. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** The members that are not `undefined`: where an option may be left out, it is not there rather than undefined. */
export function given<Options extends object>(options: Options): Given<Options> {
  const kept: Given<Options> = {};
  for (const name in options) {
    const value = options[name];
    if (value !== undefined) kept[name] = value as Exclude<Options[typeof name], undefined>;
  }
  return kept;
}

type Given<Options> = { [name in keyof Options]?: Exclude<Options[name], undefined> };
