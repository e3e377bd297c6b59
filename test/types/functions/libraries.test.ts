/** Libraries as the store keeps them: their keys and values, and random changes against a model. */
import { describe, expect, it } from 'vitest';
import type { ReadView, View } from '../../../src/store/views/view.ts';
import { FUNCTION_REGION } from '../../../src/types/functions/function-keys.ts';
import {
  allLibraries,
  countLibraries,
  deleteLibraries,
  deleteLibrary,
  digestOf,
  findFunction,
  findLibrary,
  functionFlags,
  putLibrary,
  type StoredFunction,
  type StoredLibrary,
} from '../../../src/types/functions/libraries.ts';
import { SeamHarness } from '../../store/seam/seam-harness.ts';
import { SeededRandom } from '../../support/random.ts';

function entriesOf(view: ReadView): string[] {
  const entries: string[] = [];
  view.scan(FUNCTION_REGION, false, ({ key, value }) => {
    const [shownKey, shownValue] = [key, value].map((bytes) =>
      Buffer.from(bytes)
        .toString('latin1')
        .replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`),
    );
    entries.push(`${shownKey} = ${shownValue}`);
    return true;
  });
  return entries;
}

it('a library lies under its name, and each function tells its text and where that is', async () => {
  const { store } = await SeamHarness.openShared();
  const entries = store.decide((view) => {
    putLibrary(view, {
      name: 'Lib',
      text: '#!lua',
      functions: [
        { name: 'Fn', flags: new Set(['no-writes', 'no-cluster']), description: 'one' },
        { name: 'g', flags: new Set(), description: undefined },
        { name: 'h', flags: new Set(['allow-cross-slot-keys']), description: '' },
      ],
    });
    return entriesOf(view).map((entry) => entry.replace(/ = .*Lib$/, ' = (digest)Lib'));
  }).result;
  expect(entries).toEqual([
    '\\xfd\\x01fn = (digest)Lib',
    '\\xfd\\x01g = (digest)Lib',
    '\\xfd\\x01h = (digest)Lib',
    '\\xfd\\x02Lib = \\x01\\x05#!lua\\x02Fn\\x01\\x09\\x04\\x01one\\x01g\\x01\\x00\\x00\\x01h\\x01\\x10\\x01\\x01',
  ]);
});

describe('random changes leave what the model has', () => {
  it.each([1, 2, 3])('seed %i', { timeout: 60_000 }, async (seed) => {
    const random = new SeededRandom(seed);
    const harness = await SeamHarness.open({ seed });
    const model = new Map<string, StoredLibrary>();
    for (let round = 0; round < 100; round++) {
      harness.store.decide((view) => {
        for (let count = random.between(1, 4); count > 0; count--) change(view, random, model);
        check(view, model);
      });
      await harness.durable();
    }
    harness.store.decide((view) => {
      check(view, model);
      deleteLibraries(view);
      expect(entriesOf(view)).toEqual([]);
    });
    await harness.close();
  });
});

function change(view: View, random: SeededRandom, model: Map<string, StoredLibrary>): void {
  const name = random.pick(['a', 'A', 'b', 'c_1']);
  if (random.chance(0.3)) {
    expect(deleteLibrary(view, name)).toBe(model.delete(name));
    return;
  }
  const library = drawLibrary(random, name);
  const taken = library.functions.find((one) =>
    [...model.values()].some(
      (other) =>
        other.name !== name &&
        other.functions.some((its) => its.name.toLowerCase() === one.name.toLowerCase()),
    ),
  );
  const savepoint = view.savepoint();
  const before = entriesOf(view);
  expect(putLibrary(view, library)).toBe(taken?.name);
  if (taken !== undefined) expect(entriesOf(view)).toEqual(before);
  else if (random.chance(0.1)) view.rollBack(savepoint);
  else model.set(name, library);
}

function drawLibrary(random: SeededRandom, name: string): StoredLibrary {
  const names = ['f', 'G', 'h', 'x'.repeat(128), 'i1', 'j'].filter(() => random.chance(0.3));
  const functions = names.map((one): StoredFunction => ({
    name: random.chance(0.5) ? one : one.toUpperCase(),
    flags: new Set(functionFlags.filter(() => random.chance(0.3))),
    description: random.chance(0.3) ? undefined : random.pick(['', 'told', '\x00\xff']),
  }));
  return { name, text: Buffer.from(random.bytes(random.below(300))).toString('latin1'), functions };
}

function check(view: View, model: ReadonlyMap<string, StoredLibrary>): void {
  const libraries = [...model.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  expect(allLibraries(view)).toEqual(libraries);
  const functions = libraries.flatMap((library) => library.functions.map((one) => ({ library, one })));
  expect(countLibraries(view)).toEqual({
    libraryCount: libraries.length,
    functionCount: functions.length,
  });
  for (const { library, one } of functions) {
    const place = { digest: digestOf(library.text), libraryName: library.name };
    expect(findFunction(view, one.name.toUpperCase())).toEqual(place);
  }
  for (const name of ['a', 'A', 'none', '', 'b-c']) expect(findLibrary(view, name)).toEqual(model.get(name));
  expect(findFunction(view, 'none')).toBeUndefined();
}
