/**
 * Keeps the account of a simulated base over all its lives: what it must hold now, and which states a restart may find. There is
 * never more than one commit whose outcome is open. Behind a start that has no room to make durable what it has found, the states from
 * before may be found, too, until the base says that it is settled.
 */
import type { EngineRange } from '../../../src/engine/engine.ts';
import type { Base, DeadlinePlace } from '../../../src/engine/layered/base/base.ts';
import { PlacedChange } from '../../../src/engine/version.ts';
import type { SeededRandom } from '../../support/random.ts';
import { BaseState, bytesOf, describeVersion, plainOfPlaced, shownOf, textOf } from './base-state.ts';
import type { BaseWorkload, Sealed } from './base-workload.ts';

interface Committed {
  readonly revision: number;
  readonly notes: Uint8Array;
  readonly state: BaseState;
  /** How many of the ranges that went are gone for good. */
  readonly forgottenCount: number;
}

const NOTHING: Committed = {
  revision: 0,
  notes: new Uint8Array(0),
  state: new BaseState(),
  forgottenCount: 0,
};
const EVERYTHING: EngineRange = { start: new Uint8Array(0), end: undefined };

export class BaseLedger {
  #committed = NOTHING;
  /** A commit of this was begun, and has not resolved. */
  #open: Committed | undefined;
  /** The keys that it changes: until it has resolved or failed they may be seen as they were, or as they will be. */
  readonly #openKeys = new Set<string>();
  /** What a reader sees: without the ranges that are hidden. */
  #visible = new BaseState();
  /** What a crash may find in place of what an unsettled start has found. */
  #older: readonly Committed[] = [];
  /** How often that was found. */
  olderCount = 0;
  /** In the order in which they went. */
  readonly #gone: EngineRange[] = [];

  get revision(): number {
    return this.#committed.revision;
  }

  /** Those that a restart brings back. */
  get notForgotten(): readonly EngineRange[] {
    return this.#gone.slice(this.#committed.forgottenCount);
  }

  hidden(range: EngineRange): void {
    this.#gone.push(range);
    this.#visible.forget(range);
  }

  /** From now on a restart may find what this makes of the base. */
  commitBegun(sealed: Sealed): void {
    const state = this.#committed.state.copy();
    for (const change of sealed.changes) state.apply(change);
    for (const range of sealed.forgotten) state.forget(range);
    const { revision, notes } = sealed;
    const forgottenCount = this.#committed.forgottenCount + sealed.forgotten.length;
    this.#open = { revision, notes, state, forgottenCount };
    for (const { key } of sealed.changes) this.#openKeys.add(textOf(key));
  }

  commitEnded(base: Base): void {
    if (this.#open === undefined) throw new Error('no commit was begun');
    this.#become(this.#open);
    this.#older = [];
    this.#forgetGone();
    for (const range of this.notForgotten) base.hide(range);
  }

  /** What a view of a revision must show: the newest state that is durable, with what is only hidden. */
  viewed(revision: number, notes: Uint8Array): readonly string[] {
    const viewed = [this.#committed, this.#open].find((state) => state?.revision === revision);
    if (viewed === undefined) throw new Error(`a view is of revision ${revision}, which is no state`);
    expectSame('notes of a view', textOf(notes), textOf(viewed.notes));
    const { state } = viewed;
    return state.keys(EVERYTHING).map((key) => {
      const version = state.get(bytesOf(key));
      return version === undefined ? '' : describeVersion(key, version, true);
    });
  }

  checkView(found: readonly string[], expected: readonly string[]): void {
    expectSame('view', found.join('\n'), expected.join('\n'));
  }

  /** A base was opened: hides again what is not forgotten, and checks the rest. */
  recovered(base: Base): void {
    const possible = [this.#committed, ...(this.#open === undefined ? [] : [this.#open]), ...this.#older];
    const found = possible.find(({ revision }) => revision === base.revision);
    if (found === undefined) {
      const revisions = possible.map(({ revision }) => revision).join(' or ');
      throw new Error(`revision ${base.revision} was recovered, and should be ${revisions}`);
    }
    if (this.#older.includes(found)) this.olderCount++;
    this.#older = possible.filter(({ revision }) => revision < found.revision);
    this.#noteSettled(base);
    this.#become(found);
    // What was only hidden is there again: the log may have lost that it is gone.
    this.checkAll(base);
    for (const range of this.notForgotten) base.hide(range);
    this.#forgetGone();
  }

  checkAll(base: Base): void {
    expectSame('revision', base.revision, this.#committed.revision);
    expectSame('notes', textOf(base.notes), textOf(this.#committed.notes));
    this.#checkRange(base, EVERYTHING, false, true, Infinity);
    this.#checkRange(base, EVERYTHING, true, false, Infinity);
    this.#checkDeadlines(base, undefined, Infinity);
    this.#checkLeases(base);
    for (const [key] of this.#visible.entries()) this.#checkKey(base, bytesOf(key), true);
  }

  /** Holds an answer of the base against what it must be. */
  checkAtRandom(base: Base, workload: BaseWorkload, random: SeededRandom): void {
    this.#noteSettled(base);
    const limit = this.#openKeys.size > 0 ? Infinity : random.pick([0, 1, 3, Infinity]);
    switch (random.below(6)) {
      case 0:
        return this.#checkRange(base, workload.range(), random.chance(0.5), random.chance(0.5), limit);
      case 1: {
        const places = this.#visible.deadlines(undefined);
        const after = places.length === 0 || random.chance(0.3) ? undefined : random.pick(places);
        return this.#checkDeadlines(base, after, limit);
      }
      case 2:
        return this.#checkLeases(base);
      case 3:
        if (this.#open?.revision === base.revision) return;
        expectSame('revision', base.revision, this.#committed.revision);
        return expectSame('notes', textOf(base.notes), textOf(this.#committed.notes));
      default:
        return this.#checkKey(base, workload.key(), random.chance(0.5));
    }
  }

  #noteSettled(base: Base): void {
    if (base.unsettled === undefined) this.#older = [];
  }

  #become(committed: Committed): void {
    this.#committed = committed;
    this.#open = undefined;
    this.#openKeys.clear();
    this.#visible = committed.state.copy();
  }

  #forgetGone(): void {
    for (const range of this.#gone) this.#visible.forget(range);
  }

  #checkKey(base: Base, key: Uint8Array, withValue: boolean): void {
    const version = this.#visible.get(key);
    const text = textOf(key);
    if (this.#openKeys.has(text)) return;
    const expected = version === undefined ? 'nothing' : describeVersion(text, version, withValue);
    const placed = new PlacedChange();
    const isFound = base.find(key, placed, withValue);
    // The key of what was found need not be told.
    const found = isFound ? describeVersion(text, plainOfPlaced(placed, withValue), withValue) : 'nothing';
    expectSame(`find ${text}`, found, expected);
    if (version !== undefined && !base.mayHave(key)) throw new Error(`${text} is there, and may not be`);
  }

  #checkRange(base: Base, range: EngineRange, reverse: boolean, withValues: boolean, limit: number): void {
    const keys = this.#visible.keys(range);
    if (reverse) keys.reverse();
    const cursor = base.cursor(range, reverse, withValues);
    const placed = new PlacedChange();
    const found: string[] = [];
    while (found.length < limit && cursor.next(placed))
      if (!placed.deleted && !this.#openKeys.has(textOf(placed.key))) found.push(shownOf(placed, withValues));
    cursor.close();
    const expected = keys
      .filter((key) => !this.#openKeys.has(key))
      .slice(0, Math.min(limit, keys.length))
      .map((key) => {
        const version = this.#visible.get(bytesOf(key));
        return version === undefined ? '' : describeVersion(key, version, withValues);
      });
    expectSame(`cursor from ${textOf(range.start)}`, found.join('\n'), expected.join('\n'));
  }

  #checkDeadlines(base: Base, after: DeadlinePlace | undefined, limit: number): void {
    const cursor = base.deadlines(after);
    const found: DeadlinePlace[] = [];
    while (found.length < limit) {
      const place = cursor.next();
      if (place === undefined) break;
      const { deadlineMs, key } = place;
      if (!this.#openKeys.has(textOf(key))) found.push({ deadlineMs, key: Uint8Array.from(key) });
    }
    cursor.close();
    const expected = this.#visible.deadlines(after).filter(({ key }) => !this.#openKeys.has(textOf(key)));
    const shown = expected.slice(0, Math.min(limit, expected.length));
    expectSame('deadlines', found.map(placeText).join('\n'), shown.map(placeText).join('\n'));
  }

  #checkLeases(base: Base): void {
    const isKnown = ([, key]: readonly [number, string]): boolean => !this.#openKeys.has(key);
    const found = [...base.leasedKeys()].map(([id, key]): [number, string] => [id, textOf(key)]);
    const expected = this.#visible.leasedKeys();
    expectSame('leases', linesOf(found.filter(isKnown)), linesOf(expected.filter(isKnown)));
  }
}

function linesOf(leases: readonly (readonly [number, string])[]): string {
  return leases
    .map(([id, key]) => `${id} ${key}`)
    .sort()
    .join('\n');
}

function placeText({ deadlineMs, key }: DeadlinePlace): string {
  return `${deadlineMs} ${textOf(key)}`;
}

function expectSame(what: string, found: string | number, expected: string | number): void {
  if (found === expected) return;
  const [foundLines, expectedLines] = [String(found).split('\n'), String(expected).split('\n')];
  const at = foundLines.findIndex((line, index) => line !== expectedLines[index]);
  const index = at < 0 ? foundLines.length : at;
  throw new Error(
    `${what}: of ${foundLines.length} that are there, and ${expectedLines.length} that should be, number ${index} is\n${shortened(foundLines[index])}\nand should be\n${shortened(expectedLines[index])}`,
  );
}

function shortened(line = 'missing'): string {
  return line.length > 100 ? `${line.slice(0, 60)} ... ${line.slice(-30)}` : line;
}
