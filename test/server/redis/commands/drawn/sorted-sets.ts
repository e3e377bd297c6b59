/** Random commands of sorted sets. */
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';

/** Keys `a` to `d` have scores of all kinds, `l` one score alone; `s` is a set, `text` mostly a plain value. */
export class DrawnSortedSets {
  readonly #random: SeededRandom;
  /** How many members there are to choose among: few for packed sets, many for spread ones. */
  readonly #memberCount: number;

  constructor(random: SeededRandom, memberCount: number) {
    this.#random = random;
    this.#memberCount = memberCount;
  }

  command(): DrawnCommand {
    const random = this.#random;
    const name = random.pick(WEIGHED);
    return { words: this.#odd([...this.#words(name)]), isUnordered: name === 'zrandmember' };
  }

  /** Now and then with a word too much or too few, or another one in its place. */
  #odd(words: Word[]): Word[] {
    const random = this.#random;
    if (!random.chance(0.04) || words.includes('l') || ['zrandmember', 'set'].includes(String(words[0])))
      return words;
    const at = random.between(1, words.length - 1);
    if (random.chance(0.3)) words.splice(at, 1);
    else
      words.splice(at, random.below(2), random.pick(['nan', 'x', '-1', '1.5', 'WITHSCORES', 'COUNT', '(1']));
    // A command that blocks has to come to its end.
    return String(words[0]).startsWith('b') ? ['zcard', 'a'] : words;
  }

  *#words(name: string): Iterable<Word> {
    const random = this.#random;
    const key = this.#key();
    yield name;
    switch (name) {
      case 'zadd':
        yield key;
        for (const option of ['NX', 'XX', 'GT', 'LT', 'CH', 'INCR'])
          if (random.chance(0.08)) yield random.chance(0.5) ? option : option.toLowerCase();
        for (let left = random.chance(0.2) ? random.between(2, 40) : 1; left > 0; left--)
          yield* [this.#score(key), this.#member()];
        return;
      case 'sadd':
        return yield* ['s', this.#member(), this.#member()];
      case 'srem':
        return yield* ['s', this.#member()];
      case 'set':
        return yield* ['text', 'plain'];
      case 'zincrby':
        return yield* [key, this.#score(key), this.#member()];
      case 'zscore':
      case 'zrank':
      case 'zrevrank':
        return yield* [key, this.#member()];
      case 'zmscore':
      case 'zrem':
        yield key;
        for (let left = random.between(1, 4); left > 0; left--) yield this.#member();
        return;
      case 'zcard':
        return yield key;
      case 'zcount':
      case 'zremrangebyscore':
        return yield* [key, this.#scoreBound(), this.#scoreBound()];
      case 'zlexcount':
      case 'zremrangebylex':
        return yield* ['l', this.#memberBound(), this.#memberBound()];
      case 'zremrangebyrank':
        return yield* [key, this.#index(), this.#index()];
      case 'zrangestore':
        yield this.#destination();
        return yield* this.#range(key, false);
      case 'zrange':
        return yield* this.#range(key, true);
      case 'zrevrange':
        yield* [key, this.#index(), this.#index()];
        return yield* this.#maybe(0.5, 'WITHSCORES');
      case 'zrangebyscore':
      case 'zrevrangebyscore':
        yield* [key, this.#scoreBound(), this.#scoreBound()];
        yield* this.#maybe(0.5, 'WITHSCORES');
        return yield* this.#limit(0.3);
      case 'zrangebylex':
      case 'zrevrangebylex':
        yield* ['l', this.#memberBound(), this.#memberBound()];
        return yield* this.#limit(0.3);
      case 'zpopmin':
      case 'zpopmax':
        yield key;
        return yield* this.#maybe(0.4, random.between(-1, 4));
      case 'bzpopmin':
      case 'bzpopmax':
        return yield* [key, this.#key(), 0.01];
      case 'bzmpop':
        return yield* [0.01, 2, key, this.#key(), random.pick(['MIN', 'MAX']), 'COUNT', random.between(1, 3)];
      case 'zmpop':
        yield* [2, key, this.#key(), random.pick(['MIN', 'max'])];
        return yield* random.chance(0.5) ? ['COUNT', random.between(0, 4)] : [];
      case 'zscan':
        // Long sets are told in another order.
        return yield* [this.#memberCount > SHORT_MEMBERS ? 'absent' : key, 0, 'COUNT', 100_000];
      case 'zrandmember':
        return yield* [key, random.pick(['100000', '0'])];
      case 'zintercard':
        yield* this.#keys();
        return yield* random.chance(0.5) ? ['LIMIT', random.between(0, 5)] : [];
      default: {
        if (name.endsWith('store')) yield this.#destination();
        const keys = this.#keys();
        yield* keys;
        if (!name.startsWith('zdiff')) {
          if (random.chance(0.4)) yield* ['WEIGHTS', ...keys.slice(1).map(() => this.#weight())];
          if (random.chance(0.4)) yield* ['AGGREGATE', random.pick(['SUM', 'min', 'MAX'])];
        }
        if (!name.endsWith('store')) yield* this.#maybe(0.6, 'WITHSCORES');
      }
    }
  }

  #keys(): Word[] {
    const count = this.#random.between(1, 3);
    return [count, ...Array.from({ length: count }, () => (this.#random.chance(0.2) ? 's' : this.#key()))];
  }

  *#range(key: Word, mayHaveScores: boolean): Iterable<Word> {
    const random = this.#random;
    const by = random.pick(['', 'BYSCORE', 'BYLEX']);
    if (by === '') yield* [key, this.#index(), this.#index()];
    else if (by === 'BYSCORE') yield* [key, this.#scoreBound(), this.#scoreBound(), by];
    else yield* ['l', this.#memberBound(), this.#memberBound(), by];
    yield* this.#maybe(0.4, 'REV');
    yield* this.#limit(by === '' ? 0.05 : 0.4);
    if (mayHaveScores) yield* this.#maybe(by === 'BYLEX' ? 0.05 : 0.5, 'WITHSCORES');
  }

  *#maybe(probability: number, word: Word): Iterable<Word> {
    if (this.#random.chance(probability)) yield word;
  }

  *#limit(probability: number): Iterable<Word> {
    if (this.#random.chance(probability))
      yield* ['LIMIT', this.#random.between(-1, 5), this.#random.between(-1, 6)];
  }

  #key(): Word {
    return this.#random.chance(0.01) ? 'text' : this.#random.pick(['a', 'b', 'c', 'd', 'l', 'none']);
  }

  /** Another than `l`. */
  #destination(): Word {
    return this.#random.pick(['a', 'b', 'c', 'd', 'text']);
  }

  #member(): string {
    return this.#random.chance(0.01) ? '' : `m${this.#random.below(this.#memberCount)}`;
  }

  #score(key: Word): Word {
    const random = this.#random;
    if (key === 'l') return 0;
    if (random.chance(0.6)) return random.between(-5, 5);
    const score = random.pick(ODD_SCORES);
    // Redis keeps -0 in long sets alone, and a set is long here at another length.
    return score === '-0' && this.#memberCount > SHORT_MEMBERS ? 0 : score;
  }

  /** In long sets none that makes -0 of 0. */
  #weight(): Word {
    return this.#memberCount > SHORT_MEMBERS ? this.#random.between(1, 5) : this.#score('a');
  }

  #scoreBound(): Word {
    const random = this.#random;
    const bound = random.chance(0.7) ? random.between(-6, 6) : random.pick(ODD_BOUNDS);
    return random.chance(0.3) ? `(${bound}` : bound;
  }

  #memberBound(): Word {
    const random = this.#random;
    if (random.chance(0.3)) return random.pick(['-', '+', '-', '+', 'x', '+x']);
    return `${random.pick(['[', '('])}${this.#member()}`;
  }

  #index(): Word {
    const random = this.#random;
    if (random.chance(0.03)) return random.pick(['9223372036854775807', '-9223372036854775808', '1e3']);
    return random.between(-this.#memberCount - 2, this.#memberCount + 2);
  }
}

const SHORT_MEMBERS = 30;
const ODD_SCORES = (
  'inf -inf +inf -0 0 0.1 0.2 1e300 -1e300 1e-320 3.0e5 0x10 nan 9007199254740993 123456789012345678 1e17 1.5 ' +
  '-2.25 4.35 .5 5. infinity 1e400'
).split(' ');
const ODD_BOUNDS = [...ODD_SCORES, '', ' 1', '1 ', '-inf', '+inf', 'x'];

/** How often each comes. */
const SHARES: Readonly<Record<string, number>> = {
  zadd: 30,
  sadd: 3,
  srem: 1,
  set: 1,
  zincrby: 8,
  zrem: 3,
  zscore: 3,
  zmscore: 2,
  zcard: 2,
  zcount: 3,
  zlexcount: 3,
  zrank: 3,
  zrevrank: 3,
  zrange: 10,
  zrevrange: 3,
  zrangebyscore: 3,
  zrevrangebyscore: 3,
  zrangebylex: 3,
  zrevrangebylex: 3,
  zrangestore: 2,
  zremrangebyrank: 0.5,
  zremrangebyscore: 0.5,
  zremrangebylex: 0.5,
  zpopmin: 2,
  zpopmax: 2,
  bzpopmin: 0.5,
  bzpopmax: 0.5,
  zmpop: 1,
  bzmpop: 0.5,
  zscan: 1,
  zrandmember: 1,
  zunion: 3,
  zinter: 3,
  zdiff: 3,
  zintercard: 3,
  zunionstore: 1,
  zinterstore: 1,
  zdiffstore: 1,
};
const WEIGHED = Object.entries(SHARES).flatMap(([name, share]) =>
  Array.from({ length: share * 2 }, () => name),
);
