/** A sorted set as plain objects, to hold the real one against. */
import { expect } from 'vitest';
import type { ReadView, View } from '../../../src/store/views/view.ts';
import { SortedSet } from '../../../src/types/sorted-set/sorted-set.ts';
import { type Selection, Span } from '../../../src/types/sorted-set/span.ts';
import type { SeededRandom } from '../../support/random.ts';
import { bytesOf, textOf } from '../../store/seam/seam-harness.ts';

export type Element = readonly [member: string, score: number];

export class SortedSetModel {
  readonly scores = new Map<string, number>();

  /** By score, then by member. */
  get elements(): Element[] {
    return [...this.scores].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
  }

  select(selection: Selection, isReversed: boolean): Element[] {
    let found = this.elements;
    if (selection.by === 'score') {
      const { min, max, isMinExcluded, isMaxExcluded } = selection.scores;
      found = found.filter(([, score]) => (isMinExcluded ? score > min : score >= min));
      found = found.filter(([, score]) => (isMaxExcluded ? score < max : score <= max));
    } else if (selection.by === 'member') {
      const { min, max } = selection.members;
      found.sort(([a], [b]) => (a < b ? -1 : 1));
      if (min === 'high' || max === 'low') return [];
      if (min !== 'low') {
        const bound = textOf(min.member);
        found = found.filter(([member]) => (min.isExcluded ? member > bound : member >= bound));
      }
      if (max !== 'high') {
        const bound = textOf(max.member);
        found = found.filter(([member]) => (max.isExcluded ? member < bound : member <= bound));
      }
    }
    if (isReversed) found.reverse();
    if (selection.by === 'index') {
      const { length } = found;
      const start = Math.max(0, selection.start < 0 ? selection.start + length : selection.start);
      const stop = selection.stop < 0 ? selection.stop + length : selection.stop;
      return found.slice(start, Math.max(start, stop + 1));
    }
    const { offset = 0, count = -1 } = selection.limit ?? {};
    if (offset < 0) return [];
    return found.slice(offset, count < 0 ? undefined : offset + count);
  }
}

/** All of a set, in pieces. */
export function readAll(view: ReadView, key: Uint8Array, pieceMax: number): Element[] {
  const set = SortedSet.read(view, key);
  return set === undefined ? [] : elementsOf(view, Span.all(set), pieceMax);
}

export function elementsOf(view: ReadView, span: Span, pieceMax: number): Element[] {
  const found: Element[] = [];
  while (span.step(view, pieceMax, (member, score) => found.push([textOf(member), score])));
  expect(found.length).toBe(span.count);
  return found;
}

export function drawSelection(
  random: SeededRandom,
  drawScore: () => number,
  drawMember: () => string,
): Selection {
  const limit = random.chance(0.4) && {
    limit: { offset: random.between(-1, 20), count: random.between(-1, 20) },
  };
  const by = random.pick(['index', 'score', 'member'] as const);
  if (by === 'index') return { by, start: random.between(-200, 200), stop: random.between(-200, 200) };
  if (by === 'score') {
    const scores = {
      min: random.chance(0.1) ? -Infinity : drawScore(),
      max: random.chance(0.1) ? Infinity : drawScore(),
      isMinExcluded: random.chance(0.3),
      isMaxExcluded: random.chance(0.3),
    };
    return { by, scores, ...limit };
  }
  const bound = (): { member: Uint8Array; isExcluded: boolean } => ({
    member: bytesOf(drawMember()),
    isExcluded: random.chance(0.3),
  });
  const members = {
    min: random.chance(0.2) ? random.pick(['low', 'high'] as const) : bound(),
    max: random.chance(0.2) ? random.pick(['low', 'high'] as const) : bound(),
  };
  return { by, members, ...limit };
}

/** Asks for everything that can be asked of one state. */
export function checkNewest(
  view: View,
  key: Uint8Array,
  model: SortedSetModel,
  selection: Selection,
  member: string,
  isReversed: boolean,
  pieceMax: number,
): void {
  const set = SortedSet.read(view, key);
  expect(set?.count ?? 0).toBe(model.scores.size);
  expect(set?.score(view, bytesOf(member))).toBe(model.scores.get(member));
  const rank = model.elements.findIndex(([name]) => name === member);
  expect(set?.rank(view, bytesOf(member))).toBe(rank < 0 ? undefined : rank);
  const span = set && Span.of(view, set, selection, isReversed);
  expect(span === undefined ? [] : elementsOf(view, span, pieceMax)).toEqual(
    model.select(selection, isReversed),
  );
  if (selection.by === 'index' || set === undefined) return;
  const { limit: _, ...unlimited } = selection;
  const count = model.select(unlimited, false).length;
  if (selection.by === 'score') expect(set.countScores(view, selection.scores)).toBe(count);
  else expect(set.countMembers(view, selection.members)).toBe(count);
}
