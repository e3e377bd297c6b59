/**
 * Random commands of streams; ids are given, or their milliseconds, so that both servers have the same. What is told of times is not
 * compared.
 */
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';

const KEYS = ['a', 'b', 'c', 'long', 'none'];
const ODD_IDS =
  '0-0|0|0-1|-|+|$|>|*|x||1-|-1|1-x|1-*|*-1|01-02|+1-+2| 3|3 |1--1|1--01|18446744073709551615|18446744073709551615-18446744073709551615|18446744073709551616|9223372036854775808-9223372036854775807|1-1-1|(1|(|((1'.split(
    '|',
  );

/** Without times, which are those of two servers, and what Redis tells of its tree. */
function withoutTimes(shown: string): string {
  return shown
    .replace(/("(?:idle|seen-time|radix-tree-keys|radix-tree-nodes)"[,:]) \d+/g, '$1 _')
    .replace(/(\["\d+-\d+", (?:"\w+", )?)\d+/g, '$1_');
}

const GROUPS = ['g', 'h', 'none'];
const CONSUMERS = ['alice', 'bob', 'carol'];

export class DrawnStreams {
  readonly #random: SeededRandom;
  /** The milliseconds of the ids that are added; they rise. */
  #ms = 1;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  command(): DrawnCommand {
    const random = this.#random;
    const key = this.key();
    const draws: (() => Word[])[] = [
      () => ['XADD', key, ...this.#trimming(0.2), this.#newId(), ...this.#fields()],
      () => ['XADD', key, this.#newId(), ...this.#fields()],
      () => ['XADD', key, this.#newId(), ...this.#fields()],
      () => ['XADD', key, ...this.#maybe(0.1, 'NOMKSTREAM'), this.id(), ...this.#fields()],
      () => ['XADD', key, ...this.#oddTrimming(), this.#newId(), ...this.#fields()],
      () => ['XLEN', key],
      () => ['XDEL', key, ...Array.from({ length: random.between(1, 4) }, () => this.id())],
      () => ['XRANGE', key, this.bound(), this.bound(), ...this.#count()],
      () => ['XREVRANGE', key, this.bound(), this.bound(), ...this.#count()],
      () => ['XRANGE', key, '-', '+'],
      () => ['XREAD', ...this.#count(), 'STREAMS', key, this.id()],
      () => ['XREAD', ...this.#count(), 'BLOCK', 1, 'STREAMS', key, this.key(), this.id(), this.id()],
      () => ['XREAD', ...this.#odd(), 'STREAMS', key, this.id()],
      () => ['XTRIM', key, ...this.#trimming(1)],
      () => ['XTRIM', key, ...this.#oddTrimming()],
      () => ['XSETID', key, this.id(), ...this.#setting()],
      () => [random.pick(['TYPE', 'DEL', 'EXISTS']), random.chance(0.3) ? key : 'none'],
      () => ['OBJECT', 'ENCODING', key],
      () => ['COPY', key, this.key(), ...this.#maybe(0.5, 'REPLACE')],
      () => ['RENAME', key, this.key()],
      () => ['SET', 'text', 'plain'],
    ];
    const words = random.pick(draws)();
    // Both have ids of their own then.
    return { words, compare: words.includes('*') ? 'nothing' : 'all' };
  }

  /** One of groups, or of the entries that they share. */
  groupCommand(): DrawnCommand {
    const random = this.#random;
    if (random.chance(0.35)) return this.command();
    const key = this.key();
    const group = random.pick(GROUPS);
    const owner = random.pick(CONSUMERS);
    const ids = (): Word[] => Array.from({ length: random.between(1, 4) }, () => this.id());
    const create = (): Word[] => [
      'XGROUP',
      'CREATE',
      key,
      random.pick(['g', 'h']),
      random.pick([this.id(), '0', '$']),
      ...this.#maybe(0.5, 'MKSTREAM'),
      ...this.#entriesRead(),
    ];
    const read = (): Word[] => [
      'XREADGROUP',
      'GROUP',
      group,
      owner,
      ...this.#count(),
      ...this.#maybe(0.1, 'NOACK'),
      'STREAMS',
      key,
      random.chance(0.7) ? '>' : this.id(),
    ];
    const readTwo = (): Word[] => [
      'XREADGROUP',
      'GROUP',
      group,
      owner,
      'COUNT',
      random.between(1, 3),
      'BLOCK',
      1,
      'STREAMS',
      key,
      this.key(),
      random.pick(['>', '0']),
      random.pick(['>', this.id()]),
    ];
    const claim = (): Word[] => [
      'XCLAIM',
      key,
      group,
      owner,
      random.pick([0, 0, 0, -1, 1_000_000, 'x']),
      ...ids(),
    ];
    const draws: (() => DrawnCommand)[] = [
      () => ({ words: create() }),
      () => ({ words: read() }),
      () => ({ words: read() }),
      () => ({ words: readTwo() }),
      () => ({ words: ['XREADGROUP', ...this.#odd(), 'STREAMS', key, '>', random.pick(['x', '>'])] }),
      () => ({
        words: ['XGROUP', 'SETID', key, group, random.pick([this.id(), '$']), ...this.#entriesRead()],
      }),
      () => ({ words: ['XGROUP', 'DESTROY', key, group] }),
      () => ({ words: ['XGROUP', random.pick(['CREATECONSUMER', 'DELCONSUMER']), key, group, owner] }),
      () => ({
        words: ['XGROUP', random.pick(['CREATE', 'SETID', 'DESTROY', 'FOO']), key, group, this.id(), 'x'],
      }),
      () => ({ words: ['XACK', key, group, ...ids()] }),
      () => ({ words: ['XPENDING', key, group] }),
      () => ({ words: ['XPENDING', key, group, ...this.#odd().slice(0, 1), '-', '+'] }),
      // Nothing has been idle for so long, and all for longer than a negative time.
      () => ({
        words: [
          'XPENDING',
          key,
          group,
          'IDLE',
          1_000_000,
          this.bound(),
          this.bound(),
          9,
          ...this.#maybe(0.5, owner),
        ],
      }),
      () => ({
        words: [
          'XPENDING',
          key,
          group,
          this.bound(),
          this.bound(),
          random.between(-1, 9),
          ...this.#maybe(0.5, owner),
        ],
        mask: withoutTimes,
      }),
      () => ({ words: [...claim(), ...this.#claimOptions()] }),
      () => ({
        words: [
          'XAUTOCLAIM',
          key,
          group,
          owner,
          random.pick([0, 0, 1_000_000, 'x']),
          this.bound(),
          ...(random.chance(0.5) ? ['COUNT', random.pick([1, 2, 3, 0, 'x'])] : []),
          ...this.#maybe(0.3, 'JUSTID'),
        ],
      }),
      () => ({ words: ['XINFO', 'GROUPS', key] }),
      () => ({ words: ['XINFO', 'CONSUMERS', key, group], mask: withoutTimes }),
      () => ({
        words: [
          'XINFO',
          'STREAM',
          key,
          ...random.pick([[], ['FULL'], ['FULL', 'COUNT', random.between(-1, 5)], ['x']]),
        ],
        mask: withoutTimes,
      }),
      () => ({
        words: ['XINFO', random.pick(['GROUPS', 'CONSUMERS', 'FOO']), key, ...random.pick([[], ['g', 'x']])],
      }),
    ];
    return random.pick(draws)();
  }

  *#entriesRead(): Iterable<Word> {
    const random = this.#random;
    if (random.chance(0.2)) yield* ['ENTRIESREAD', random.pick([0, 1, 5, -1, -2, 'x'])];
  }

  *#claimOptions(): Iterable<Word> {
    const random = this.#random;
    yield* this.#maybe(0.3, 'FORCE');
    yield* this.#maybe(0.3, 'JUSTID');
    if (random.chance(0.2)) yield* ['RETRYCOUNT', random.pick([0, 5, -1, 'x'])];
    if (random.chance(0.2)) yield* ['IDLE', random.pick([0, 2_000_000, -5, 'x'])];
    if (random.chance(0.1)) yield* ['TIME', random.pick([0, 1000, -1, 'x'])];
    if (random.chance(0.1)) yield* ['LASTID', this.id()];
    yield* this.#maybe(0.03, 'WORD');
  }

  key(): Word {
    return this.#random.chance(0.02) ? 'text' : this.#random.pick(KEYS);
  }

  /** Mostly one that may be there. */
  id(): Word {
    const random = this.#random;
    if (random.chance(0.1)) {
      const odd = random.pick(ODD_IDS);
      return odd === '*' ? '0-1' : odd;
    }
    const ms = random.between(Math.max(0, this.#ms - 30), this.#ms + 2);
    return random.chance(0.3) ? ms : `${ms}-${random.below(4)}`;
  }

  bound(): Word {
    const random = this.#random;
    if (random.chance(0.3)) return random.pick(['-', '+']);
    const id = String(this.id());
    return random.chance(0.2) ? `(${id}` : id;
  }

  #newId(): Word {
    const random = this.#random;
    if (random.chance(0.6)) this.#ms++;
    return random.chance(0.4) ? `${this.#ms}-*` : `${this.#ms}-${random.below(4)}`;
  }

  #fields(): Word[] {
    const random = this.#random;
    const items = Array.from({ length: 2 * random.between(1, 3) }, () =>
      random.chance(0.1) ? random.bytes(random.below(200)) : `f${random.below(9)}`,
    );
    return random.chance(0.03) ? items.slice(1) : items;
  }

  *#maybe(probability: number, word: Word): Iterable<Word> {
    if (this.#random.chance(probability)) yield word;
  }

  *#count(): Iterable<Word> {
    const random = this.#random;
    if (random.chance(0.4))
      yield* [
        'COUNT',
        random.chance(0.1) ? random.pick(['0', '-1', 'x', '9223372036854775807']) : random.below(5),
      ];
  }

  /** To so many, or from an id on, exactly. */
  *#trimming(probability: number): Iterable<Word> {
    const random = this.#random;
    if (!random.chance(probability)) return;
    yield* random.chance(0.6)
      ? ['MAXLEN', ...this.#maybe(0.3, '='), random.between(3, 20)]
      : ['MINID', this.id()];
  }

  /** Of what goes by hundreds only in streams that are shorter, where nothing goes. */
  #oddTrimming(): Word[] {
    return [
      ...this.#random.pick([['MAXLEN'], ['MINID'], ['MAXLEN', '~'], ['MINID', '~'], ['MAXLEN', '='], []]),
      this.#random.pick(['1000', '0', '-1', 'x', '5-1']),
      ...this.#random.pick([
        [],
        ['LIMIT', 5],
        ['LIMIT', 0],
        ['LIMIT', -1],
        ['LIMIT', 'x'],
        ['MINID', '1'],
        ['LIMIT'],
      ]),
    ];
  }

  #odd(): Word[] {
    return this.#random.pick([
      ['BLOCK', 'x'],
      ['BLOCK', -1],
      ['GROUP', 'g', 'c'],
      ['NOACK'],
      ['COUNT'],
      ['WORD'],
      [],
      ['STREAMS', 'a'],
    ]);
  }

  *#setting(): Iterable<Word> {
    const random = this.#random;
    if (random.chance(0.3)) yield* ['ENTRIESADDED', random.pick([100, 5, -1, 'x'])];
    if (random.chance(0.3)) yield* ['MAXDELETEDID', this.id()];
    if (random.chance(0.05)) yield 'WORD';
  }
}
