/**
 * What one client knows of the collections that are its own: how they stand after the last acknowledged command, and after each of
 * those that are open. They went out on one connection, so what is there after a kill is what some number of the first of the
 * open ones have left.
 */
import type { SeededRandom } from '../../support/random.ts';
import type { DecodedReply } from '../../server/redis/support/decoded-reply.ts';

/** Texts in place of tables, so that states are compared as they are. */
interface Collections {
  readonly hash: ReadonlyMap<string, string>;
  readonly set: ReadonlyMap<string, string>;
  readonly scores: ReadonlyMap<string, string>;
  readonly list: readonly string[];
}

/** Commands that take effect together. */
export interface Group {
  readonly commands: readonly (readonly string[])[];
  readonly after: Collections;
  /** What the last of them is answered. */
  readonly reply: string;
}

const NONE: Collections = { hash: new Map(), set: new Map(), scores: new Map(), list: [] };
const NAMES = 90;

type Drawn = readonly [command: readonly string[], after: Collections, reply: DecodedReply];

export class OwnedCollections {
  readonly #name: string;
  readonly #random: SeededRandom;
  /** The first is acknowledged. */
  #states: Collections[] = [NONE];
  #count = 0;

  constructor(name: string, random: SeededRandom) {
    this.#name = name;
    this.#random = random;
  }

  /** The next command, or a transaction of several; it is open from now on. */
  begin(): Group {
    let after = this.#states.at(-1) ?? NONE;
    const isTransaction = this.#random.chance(0.15);
    const commands: (readonly string[])[] = [];
    const replies: DecodedReply[] = [];
    for (let left = isTransaction ? 3 : 1; left > 0; left--) {
      const [command, next, reply] = this.#draw(after);
      after = next;
      commands.push(command);
      replies.push(reply);
    }
    this.#states.push(after);
    const sent = isTransaction ? [['MULTI'], ...commands, ['EXEC']] : commands;
    return { commands: sent, after, reply: JSON.stringify(isTransaction ? replies : replies[0]) };
  }

  /** The first open command was answered. */
  acknowledge(): void {
    this.#states.shift();
  }

  /** The last open command was surely not done. */
  refuse(): void {
    this.#states.pop();
  }

  /** The commands that show all. */
  get reads(): readonly (readonly string[])[] {
    return [
      ['HGETALL', this.#key('hash')],
      ['SMEMBERS', this.#key('set')],
      ['ZRANGE', this.#key('scores'), '0', '-1', 'WITHSCORES'],
      ['LRANGE', this.#key('list'), '0', '-1'],
      ['HLEN', this.#key('hash')],
      ['SCARD', this.#key('set')],
      ['ZCARD', this.#key('scores')],
      ['LLEN', this.#key('list')],
    ];
  }

  /** The server was started again, and answers `reads` like this. @returns what is wrong with it; it stands from now on. */
  settle(replies: readonly DecodedReply[]): string | undefined {
    const [hash = [], members = [], scores = [], list = [], ...counts] = replies as readonly string[][];
    const shown = textOf([pairsOf(hash).sort(byName), members.toSorted(), pairsOf(scores), list]);
    const sizes = [hash.length / 2, members.length, scores.length / 2, list.length];
    const found = this.#states.find((state) => shownOf(state) === shown);
    const expected = this.#states.map(shownOf);
    this.#states = [found ?? NONE];
    if (found === undefined) return `${this.#name} shows ${shown}, and none of\n${expected.join('\n')}`;
    if (textOf(counts) !== textOf(sizes))
      return `${this.#name} has ${textOf(sizes)} and counts ${textOf(counts)}`;
    return undefined;
  }

  /** A name of its own for each type. */
  #key(type: keyof Collections): string {
    return `${this.#name}/${type}`;
  }

  #draw(before: Collections): Drawn {
    const random = this.#random;
    if (random.chance(0.04)) return this.#delete(before);
    switch (random.below(8)) {
      case 0:
      case 1:
        return this.#setFields(before);
      case 2:
      case 3:
        return this.#push(before);
      case 4:
        return this.#pop(before);
      case 5:
        return this.#changeSet(before);
      case 6:
        return this.#addScore(before);
      default:
        return this.#popScore(before);
    }
  }

  #delete(before: Collections): Drawn {
    const type = this.#random.pick(['hash', 'set', 'scores', 'list'] as const);
    const old = before[type];
    const isThere = 'size' in old ? old.size > 0 : old.length > 0;
    return [['DEL', this.#key(type)], { ...before, [type]: NONE[type] }, isThere ? 1 : 0];
  }

  #setFields(before: Collections): Drawn {
    const fields = this.#some().flatMap((name) => [name, this.#value()]);
    const hash = new Map(before.hash);
    for (let at = 0; at < fields.length; at += 2) hash.set(fields[at] ?? '', fields[at + 1] ?? '');
    return [['HSET', this.#key('hash'), ...fields], { ...before, hash }, hash.size - before.hash.size];
  }

  #push(before: Collections): Drawn {
    const elements = this.#some().map(() => this.#value());
    const isHead = this.#random.chance(0.4);
    const list = isHead ? [...elements.toReversed(), ...before.list] : [...before.list, ...elements];
    return [[isHead ? 'LPUSH' : 'RPUSH', this.#key('list'), ...elements], { ...before, list }, list.length];
  }

  #pop(before: Collections): Drawn {
    const isHead = this.#random.chance(0.6);
    const list = isHead ? before.list.slice(1) : before.list.slice(0, -1);
    const popped = before.list.at(isHead ? 0 : -1) ?? null;
    return [[isHead ? 'LPOP' : 'RPOP', this.#key('list')], { ...before, list }, popped];
  }

  #changeSet(before: Collections): Drawn {
    const isAdded = this.#random.chance(0.6);
    const names = this.#some();
    const set = new Map(before.set);
    for (const name of names)
      if (isAdded) set.set(name, '');
      else set.delete(name);
    const reply = Math.abs(set.size - before.set.size);
    return [[isAdded ? 'SADD' : 'SREM', this.#key('set'), ...names], { ...before, set }, reply];
  }

  #addScore(before: Collections): Drawn {
    const added = this.#some().flatMap((name) => [`${this.#random.below(50)}`, name]);
    const scores = new Map(before.scores);
    for (let at = 0; at < added.length; at += 2) scores.set(added[at + 1] ?? '', added[at] ?? '');
    return [['ZADD', this.#key('scores'), ...added], { ...before, scores }, scores.size - before.scores.size];
  }

  #popScore(before: Collections): Drawn {
    const [least] = orderOf(before.scores);
    const scores = new Map(before.scores);
    if (least !== undefined) scores.delete(least[0]);
    return [['ZPOPMIN', this.#key('scores')], { ...before, scores }, least === undefined ? [] : [...least]];
  }

  /** A few names, or so many that no packed form holds them. */
  #some(): string[] {
    const random = this.#random;
    const count = random.chance(0.05) ? NAMES : random.between(1, 4);
    return Array.from({ length: count }, () => `name-${random.below(NAMES)}`);
  }

  #value(): string {
    return `${++this.#count}`.padEnd(this.#random.pick([1, 20, 60]), '.');
  }
}

/** By score, and then by name. */
function orderOf(scores: ReadonlyMap<string, string>): [string, string][] {
  return [...scores].sort(([a, x], [b, y]) => Number(x) - Number(y) || (a < b ? -1 : 1));
}

function shownOf({ hash, set, scores, list }: Collections): string {
  return textOf([[...hash].sort(byName), [...set.keys()].sort(), orderOf(scores), list]);
}

function pairsOf(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', flat[2 * at + 1] ?? '']);
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

function textOf(value: unknown): string {
  return JSON.stringify(value);
}
