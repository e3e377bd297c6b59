/**
 * What a command takes, as COMMAND DOCS tells it, out of its line of syntax (`key value [NX | XX] [EX seconds] [field ...]`). Clients show
 * it as help and as hints while a command is typed.
 *
 * Within brackets `|` stands between sequences; outside between two words in capitals, or else between sequences too.
 */

export interface ToldArgument {
  readonly name: string;
  readonly type: 'key' | 'string' | 'integer' | 'pure-token' | 'oneof' | 'block';
  readonly token?: string;
  readonly isOptional?: boolean;
  readonly isMultiple?: boolean;
  /** Each time with its token. */
  readonly repeatsToken?: boolean;
  readonly parts?: readonly ToldArgument[];
}

const KEYS = /^(?:key\d?|newkey|source|destination|destkey|sourcekey|src|dst)$/;
const INTEGERS =
  /^(?:seconds|milliseconds|unix-time-.*|count|index|offset|numkeys|limit|len|rank|db|destination-db|cursor|numreplicas|client-id)$/;
const TOKEN = /^[A-Z][A-Z0-9-]*$/;
const MORE = '...';

/** A word, or what stands in brackets: its sequences. */
type Item = string | Group;

interface Group {
  readonly isOptional: boolean;
  readonly sequences: readonly (readonly Item[])[];
}

export function argumentsOf(syntax: string): readonly ToldArgument[] {
  const words = syntax.match(/\.\.\.|[[\]<>|]|[^\s[\]<>|]+/g) ?? [];
  const sequences = new SyntaxReader(words).sequences(true);
  const [only = []] = sequences;
  return sequences.length > 1 ? [choice(sequences)] : ofSequence(only);
}

class SyntaxReader {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  /** Up to the bracket that ends them. */
  sequences(isOutside: boolean): Item[][] {
    let sequence: Item[] = [];
    const sequences = [sequence];
    for (let word = this.#next(); word !== undefined && word !== ']' && word !== '>'; word = this.#next()) {
      if (word === '[' || word === '<') {
        sequence.push({ isOptional: word === '[', sequences: this.sequences(false) });
        continue;
      }
      if (word !== '|') {
        sequence.push(word);
        continue;
      }
      const last = sequence.at(-1);
      const next = this.#words[this.#at];
      if (isOutside && last !== undefined && next !== undefined && isChoiceOf(last) && TOKEN.test(next)) {
        const choices = typeof last === 'string' ? [[last]] : last.sequences;
        sequence.splice(-1, 1, { isOptional: false, sequences: [...choices, [next]] });
        this.#at++;
      } else sequences.push((sequence = []));
    }
    return sequences;
  }

  #next(): string | undefined {
    return this.#words[this.#at++];
  }
}

/** A word in capitals, or a choice of them. */
function isChoiceOf(item: Item): boolean {
  if (typeof item === 'string') return TOKEN.test(item);
  return !item.isOptional && item.sequences.every(([word]) => typeof word === 'string' && TOKEN.test(word));
}

function ofSequence(items: readonly Item[]): ToldArgument[] {
  const told: ToldArgument[] = [];
  for (let at = 0; at < items.length; at++) {
    const item = items[at];
    if (item === undefined || item === MORE) continue;
    if (typeof item === 'string' && TOKEN.test(item)) {
      const names: Item[] = [];
      for (let next = items[at + 1]; next !== undefined && isValue(next, names); next = items[++at + 1])
        names.push(next);
      told.push(withToken(item, ofSequence(names)));
    } else if (typeof item === 'string') told.push({ name: item, type: typeOf(item) });
    else if (isRepeat(item, told)) {
      const { length } = item.sequences[0]?.filter((word) => word !== MORE) ?? [];
      const repeated = told.splice(-length);
      told.push({ ...asOne(repeated), isMultiple: true });
    } else {
      const last = told.at(-1);
      if (last !== undefined && repeatsWithToken(item, last))
        told.splice(-1, 1, { ...last, isMultiple: true, repeatsToken: true });
      else told.push(ofGroup(item));
    }
  }
  return told;
}

/** Belongs to the token before it. */
function isValue(item: Item, before: readonly Item[]): boolean {
  if (typeof item === 'string') return !TOKEN.test(item) && item !== MORE;
  return before.length > 0 && isRepeat(item, ofSequence(before));
}

/** `[score member ...]` behind `score member`. */
function isRepeat({ sequences }: Group, before: readonly ToldArgument[]): boolean {
  const [words = []] = sequences;
  if (sequences.length !== 1 || words.at(-1) !== MORE) return false;
  const names = words.slice(0, -1);
  return names.length > 0 && names.every((name, index) => before.at(index - names.length)?.name === name);
}

/** `[GET pattern ...]` behind `GET pattern`. */
function repeatsWithToken({ sequences }: Group, { token, name, parts }: ToldArgument): boolean {
  const [words = []] = sequences;
  if (token === undefined || sequences.length !== 1 || words.at(-1) !== MORE) return false;
  const names = [token, ...(parts === undefined ? [name] : parts.map((part) => part.name))];
  return words.length === names.length + 1 && names.every((part, index) => words[index] === part);
}

function ofGroup({ isOptional, sequences }: Group): ToldArgument {
  const [only = []] = sequences;
  const one = sequences.length > 1 ? choice(sequences) : asOne(ofSequence(only));
  const isMultiple = one.isMultiple === true || sequences.at(-1)?.at(-1) === MORE;
  return { ...one, ...(isOptional ? { isOptional } : {}), ...(isMultiple ? { isMultiple } : {}) };
}

function choice(sequences: readonly (readonly Item[])[]): ToldArgument {
  const parts = sequences.map((sequence) => asOne(ofSequence(sequence)));
  return { name: parts[0]?.name ?? 'choice', type: 'oneof', parts };
}

function asOne(several: readonly ToldArgument[]): ToldArgument {
  const [first] = several;
  if (several.length === 1 && first !== undefined) return first;
  return { name: several.map(({ name }) => name).join('_'), type: 'block', parts: several };
}

function withToken(token: string, values: readonly ToldArgument[]): ToldArgument {
  if (values.length === 0) return { name: token.toLowerCase(), type: 'pure-token', token };
  const one = asOne(values);
  // A block has the token's name, so that a value of it may have its own.
  return one.type === 'block' ? { ...one, name: token.toLowerCase(), token } : { ...one, token };
}

function typeOf(name: string): 'key' | 'string' | 'integer' {
  if (KEYS.test(name)) return 'key';
  return INTEGERS.test(name) ? 'integer' : 'string';
}
