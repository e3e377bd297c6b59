/** What the tests of lists share: a model that is an array of texts, and the check that a list is what its model is. */
import { expect } from 'vitest';
import { elementsWithTag, tags } from '../../../src/store/collections/collection-keys.ts';
import type { ReadView, View } from '../../../src/store/views/view.ts';
import { insertBeside, setElement } from '../../../src/types/list/change.ts';
import { visitMatches, visitMatchesBackward } from '../../../src/types/list/find.ts';
import { type End, List } from '../../../src/types/list/list.ts';
import { move } from '../../../src/types/list/move.ts';
import { pop } from '../../../src/types/list/pop.ts';
import { push, pushIfExists } from '../../../src/types/list/push.ts';
import { elementAt, lengthOf, visitElements, visitElementsBackward } from '../../../src/types/list/read.ts';
import { removeEqual } from '../../../src/types/list/remove.ts';
import { trim } from '../../../src/types/list/trim.ts';
import type { SeededRandom } from '../../support/random.ts';
import { bytesOf, textOf } from '../../store/seam/seam-harness.ts';

const ENDS: readonly End[] = ['head', 'tail'];

/** The chunks that lie under a list's id, as `ordinal: elements`. */
export function chunksOf(view: ReadView, id: number): { ordinal: number; bytes: number; count: number }[] {
  const chunks: { ordinal: number; bytes: number; count: number }[] = [];
  const next = view.scan(elementsWithTag(id, tags.chunk), false, (shown) => {
    const ordinal = Number(Buffer.from(shown.key).readBigUInt64BE(10));
    let count = 0;
    const { value } = shown;
    for (let at = 0; at < value.length; count++) {
      let length = 0;
      for (let shift = 0; ; shift += 7) {
        const byte = value[at++] ?? 0;
        length += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) break;
      }
      at += length;
    }
    chunks.push({ ordinal, bytes: value.length, count });
    return true;
  });
  expect(next).toBeUndefined();
  return chunks;
}

/** Reads a list in every way, and looks at where its elements lie. */
export function expectList(view: ReadView, key: Uint8Array, model: readonly string[]): void {
  const list = List.read(view, key);
  expect(list?.count ?? 0).toBe(model.length);
  if (list === undefined) return;
  const forward: string[] = [];
  let isInOrder = true;
  expect(
    visitElements(view, list, 0, list.count, (element, index) => {
      isInOrder &&= index === forward.length;
      return forward.push(textOf(element)) > 0;
    }),
  ).toBe(list.count);
  expect(forward).toEqual(model);
  expect(isInOrder).toBe(true);
  const backward: string[] = [];
  expect(
    visitElementsBackward(view, list, 0, list.count, (element) => backward.push(textOf(element)) > 0),
  ).toBe(0);
  expect(backward).toEqual(model.toReversed());
  if (list.id === 0) {
    expect(list.headRow.length).toBeLessThan(512);
    expect(model.length).toBeLessThanOrEqual(64);
    return;
  }
  let ordinal = list.chunksStart;
  for (const chunk of chunksOf(view, list.id)) {
    expect(chunk.ordinal).toBe(ordinal);
    expect(chunk.count).toBeGreaterThan(0);
    if (chunk.count > 1) expect(chunk.bytes).toBeLessThanOrEqual(256);
    ordinal += chunk.count;
  }
  expect(ordinal).toBe(list.chunksEnd);
  expect(Math.max(list.headRow.length, list.tailRow.length)).toBeLessThanOrEqual(256);
}

/** Short ones mostly, some that are in the list already, and a few long ones. */
export function drawElement(random: SeededRandom): string {
  if (random.chance(0.03)) return 'L'.repeat(random.between(200, 600)) + random.below(10);
  if (random.chance(0.3)) return 'abc'.charAt(random.below(3));
  return 'x'.repeat(random.below(30)) + random.below(20);
}

/** One random change of a list or of two; the models change alike. */
export function changeAtRandom(
  view: View,
  random: SeededRandom,
  models: Map<string, string[]>,
  name: string,
): void {
  const key = bytesOf(name);
  const model = models.get(name) ?? [];
  const end = random.pick(ENDS);
  const pushed = Array.from(
    { length: random.chance(0.1) ? random.between(1, 150) : random.between(1, 3) },
    () => drawElement(random),
  );
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      pushModel(model, end, pushed);
      expect(push(view, key, end, pushed.map(bytesOf))).toBe(model.length);
      break;
    case 3: {
      if (model.length > 0) pushModel(model, end, pushed);
      expect(pushIfExists(view, key, end, pushed.map(bytesOf))).toBe(model.length);
      break;
    }
    case 4:
    case 5: {
      const count = random.chance(0.02) ? model.length : random.chance(0.2) ? random.below(80) : 1;
      const popped = pop(view, key, end, count);
      if (model.length === 0) expect(popped).toBeUndefined();
      else expect(popped?.elements.map(textOf)).toEqual(popModel(model, end, count));
      expect(popped?.count ?? 0).toBe(model.length);
      break;
    }
    case 6: {
      if (model.length === 0) break;
      const index = random.below(model.length);
      const element = drawElement(random);
      setElement(view, key, random.chance(0.5) ? index : index - model.length, bytesOf(element));
      model[index] = element;
      break;
    }
    case 7: {
      const pivot = model.length > 0 && random.chance(0.8) ? random.pick(model) : 'none';
      const place = random.pick(['before', 'behind'] as const);
      const element = drawElement(random);
      const index = model.indexOf(pivot);
      const wasThere = model.length > 0;
      if (index >= 0) model.splice(place === 'before' ? index : index + 1, 0, element);
      expect(insertBeside(view, key, place, bytesOf(pivot), bytesOf(element))).toBe(
        index >= 0 ? model.length : wasThere ? -1 : 0,
      );
      break;
    }
    case 8: {
      const element = model.length > 0 && random.chance(0.9) ? random.pick(model) : 'none';
      const limit = random.between(-3, 3);
      const removed = removeModel(model, limit, element);
      expect(removeEqual(view, key, limit, bytesOf(element))).toEqual({
        removedCount: removed,
        count: model.length,
      });
      break;
    }
    case 9: {
      if (random.chance(0.7)) break;
      const start = random.between(-model.length - 2, model.length + 2);
      const stop = random.between(-model.length - 2, model.length + 2);
      const from = Math.max(0, start < 0 ? model.length + start : start);
      const to = (stop < 0 ? model.length + stop : stop) + 1;
      const kept = model.slice(from, Math.max(0, to));
      const count = trim(view, key, start, stop);
      expect(count).toBe(model.length === 0 ? undefined : kept.length);
      model.splice(0, model.length, ...kept);
      break;
    }
    case 10: {
      const other = random.pick(['one', 'two']);
      const to = random.pick(ENDS);
      const target = models.get(other) ?? [];
      const moved = move(view, key, end, bytesOf(other), to);
      if (model.length === 0) expect(moved).toBeUndefined();
      else {
        const elements = popModel(model, end, 1);
        expect(textOf(moved?.element ?? bytesOf(''))).toBe(elements[0]);
        const into = other === name ? model : target;
        pushModel(into, to, elements);
        expect(moved?.sourceCount).toBe(model.length);
        models.set(other, into);
      }
      break;
    }
    default:
      readAtRandom(view, random, key, model);
  }
  models.set(name, model);
}

function readAtRandom(view: View, random: SeededRandom, key: Uint8Array, model: readonly string[]): void {
  expect(lengthOf(view, key)).toBe(model.length);
  const index = random.between(-model.length - 1, model.length);
  const element = elementAt(view, key, index);
  expect(element && textOf(element)).toBe(model.at(index));
  const list = List.read(view, key);
  if (list === undefined) return;
  const from = random.below(model.length + 1);
  const to = random.between(from, model.length);
  const shown: string[] = [];
  visitElements(view, list, from, to, (bytes) => shown.push(textOf(bytes)) > 0);
  expect(shown).toEqual(model.slice(from, to));
  const reversed: string[] = [];
  visitElementsBackward(view, list, from, to, (bytes) => reversed.push(textOf(bytes)) > 0);
  expect(reversed).toEqual(shown.toReversed());
  if (model.length === 0) return;
  const wanted = random.pick(model);
  const matches = model.flatMap((text, at) => (text === wanted && at >= from && at < to ? [at] : []));
  const found: number[] = [];
  expect(visitMatches(view, list, bytesOf(wanted), from, to, (at) => found.push(at) > 0)).toBe(to);
  expect(found).toEqual(matches);
  const foundBackward: number[] = [];
  visitMatchesBackward(view, list, bytesOf(wanted), from, to, (at) => foundBackward.push(at) > 0);
  expect(foundBackward).toEqual(matches.toReversed());
}

function pushModel(model: string[], end: End, elements: readonly string[]): void {
  if (end === 'tail') model.push(...elements);
  else model.unshift(...elements.toReversed());
}

function popModel(model: string[], end: End, count: number): string[] {
  if (end === 'head') return model.splice(0, count);
  return model.splice(Math.max(0, model.length - count)).reverse();
}

function removeModel(model: string[], limit: number, element: string): number {
  let left = limit === 0 ? Infinity : Math.abs(limit);
  const order = model.map((_, index) => index);
  const gone = new Set<number>();
  for (const index of limit < 0 ? order.reverse() : order) {
    if (left === 0) break;
    if (model[index] !== element) continue;
    gone.add(index);
    left--;
  }
  model.splice(0, model.length, ...model.filter((_, index) => !gone.has(index)));
  return gone.size;
}
