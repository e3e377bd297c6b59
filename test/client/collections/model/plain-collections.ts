/**
 * Hashes, lists, sets, sorted sets and Bloom filters as plain JavaScript, with all of their states: what the services of collections
 * must answer. A content is never changed, so an old state is a map that was kept.
 */
import type { ListEnd, SetOperation } from '../../../../src/client/index.ts';

export type Content =
  | { readonly type: 'hash'; readonly fields: ReadonlyMap<string, string> }
  | { readonly type: 'list'; readonly elements: readonly string[] }
  | { readonly type: 'set'; readonly members: ReadonlySet<string> }
  | { readonly type: 'sortedSet'; readonly scores: ReadonlyMap<string, number> }
  | { readonly type: 'bloomFilter'; readonly members: ReadonlySet<string> }
  | { readonly type: 'hyperLogLog'; readonly members: ReadonlySet<string> }
  | { readonly type: 'string' };

type Type = Content['type'];
type Of<T extends Type> = Extract<Content, { type: T }>;

/** A call is refused with this code. */
export class Refused extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const empty: { readonly [T in Type]: Of<T> } = {
  hash: { type: 'hash', fields: new Map() },
  list: { type: 'list', elements: [] },
  set: { type: 'set', members: new Set() },
  sortedSet: { type: 'sortedSet', scores: new Map() },
  bloomFilter: { type: 'bloomFilter', members: new Set() },
  hyperLogLog: { type: 'hyperLogLog', members: new Set() },
  string: { type: 'string' },
};

/** One state of all keys. */
export class PlainState {
  readonly #contents: ReadonlyMap<string, Content>;

  constructor(contents: ReadonlyMap<string, Content>) {
    this.#contents = contents;
  }

  typeOf(key: string): Type | undefined {
    return this.#contents.get(key)?.type;
  }

  /** All of it that answers are exact about; equal states have the same text. */
  get text(): string {
    const plain = (_name: string, value: unknown): unknown =>
      value instanceof Map || value instanceof Set
        ? [...(value as Iterable<unknown>)].map((each) => JSON.stringify(each, plain)).sort()
        : value;
    const exact = [...this.#contents].filter(([, { type }]) => type !== 'hyperLogLog');
    return JSON.stringify(new Map(exact), plain);
  }

  /** What is empty is not there. */
  with(key: string, content: Content | undefined): PlainState {
    const contents = new Map(this.#contents);
    if (content === undefined || sizeOf(content) === 0) contents.delete(key);
    else contents.set(key, content);
    return new PlainState(contents);
  }

  fields(key: string): ReadonlyMap<string, string> {
    return this.#read(key, 'hash').fields;
  }

  elements(key: string): readonly string[] {
    return this.#read(key, 'list').elements;
  }

  members(key: string): ReadonlySet<string> {
    return this.#read(key, 'set').members;
  }

  scores(key: string): ReadonlyMap<string, number> {
    return this.#read(key, 'sortedSet').scores;
  }

  filtered(key: string): ReadonlySet<string> {
    return this.#read(key, 'bloomFilter').members;
  }

  sketched(key: string): ReadonlySet<string> {
    return this.#read(key, 'hyperLogLog').members;
  }

  /** Members in the order of their scores, and of their bytes. */
  ranked(key: string): [member: string, score: number][] {
    return [...this.scores(key)].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
  }

  /** A set's members count with score 1 when sorted sets are put together. */
  scoresOfAny(key: string): ReadonlyMap<string, number> {
    if (this.typeOf(key) !== 'set') return this.scores(key);
    return new Map([...this.members(key)].map((member) => [member, 1]));
  }

  #read<T extends Type>(key: string, type: T): Of<T> {
    const content = this.#contents.get(key) ?? empty[type];
    if (content.type !== type) throw new Refused('wrongType');
    return content as Of<T>;
  }
}

/** Elements from `start` to `stop`, both inclusive and below 0 from the end on. */
export function sliceOf<Item>(items: readonly Item[], start: number, stop: number): Item[] {
  const place = (index: number): number => (index < 0 ? items.length + index : index);
  return items.slice(Math.max(0, place(start)), Math.max(0, place(stop) + 1));
}

/** @returns what is taken, and what is left. */
export function takeFrom(
  elements: readonly string[],
  end: ListEnd,
  limit: number,
): readonly [taken: string[], left: string[]] {
  if (end === 'head') return [elements.slice(0, limit), elements.slice(limit)];
  const at = Math.max(0, elements.length - limit);
  return [elements.slice(at).reverse(), elements.slice(0, at)];
}

export function combineSets(operation: SetOperation, sets: readonly ReadonlySet<string>[]): Set<string> {
  const [first = new Set<string>(), ...others] = sets;
  switch (operation) {
    case 'union':
      return new Set(sets.flatMap((each) => [...each]));
    case 'intersection':
      return new Set([...first].filter((member) => others.every((other) => other.has(member))));
    case 'difference':
      return new Set([...first].filter((member) => !others.some((other) => other.has(member))));
  }
}

function sizeOf(content: Content): number {
  switch (content.type) {
    case 'hash':
      return content.fields.size;
    case 'list':
      return content.elements.length;
    case 'set':
      return content.members.size;
    case 'sortedSet':
      return content.scores.size;
    case 'bloomFilter':
    case 'hyperLogLog':
    case 'string':
      return 1;
  }
}
