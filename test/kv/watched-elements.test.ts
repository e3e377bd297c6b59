/** Watches that are told of the elements of collections: who follows them has what the store has, at each revision. */
import { expect, test } from 'vitest';
import type { ElementChange, WatchEvent } from '../../src/api.ts';
import type { KvStore } from '../../src/kv/kv-store.ts';
import { fixed } from '../../src/limits.ts';
import type { View } from '../../src/store/views/view.ts';
import { editHash } from '../../src/types/hash/hash.ts';
import { editSet } from '../../src/types/set/set.ts';
import { SortedSetEdit } from '../../src/types/sorted-set/sorted-set-edit.ts';
import { opened } from '../access/opened.ts';
import { SeededRandom } from '../support/random.ts';

const SEEDS = [1, 2, 3, 4];
const REVISIONS = 120;

/** The elements of each key as text, by their names. */
type Shown = Map<string, Map<string, string>>;

const nameText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** One random change of one key, in the view and in the model. */
function change(view: View, model: Shown, random: SeededRandom): void {
  const key = random.pick(['hash', 'set', 'sorted', 'sorted too']);
  const name = Buffer.from(`n${random.below(90)}`);
  const engineKey = Buffer.from(key);
  if (random.chance(0.02)) {
    view.delete(engineKey);
    model.delete(key);
    return;
  }
  const elements = model.get(key) ?? new Map<string, string>();
  const isRemoval = random.chance(0.3);
  if (isRemoval) elements.delete(nameText(name));
  if (key === 'hash') {
    const edit = editHash(view, engineKey);
    const value = Buffer.from(`v${random.below(1000)}`);
    if (isRemoval) edit.remove(name);
    else {
      edit.set(name, value);
      elements.set(nameText(name), nameText(value));
    }
    edit.save();
  } else if (key === 'set') {
    const edit = editSet(view, engineKey);
    if (isRemoval) edit.remove(name);
    else {
      edit.add(name);
      elements.set(nameText(name), '');
    }
    edit.save();
  } else {
    const edit = new SortedSetEdit(view, engineKey);
    const score = random.between(-50, 50) / 2;
    if (isRemoval) edit.remove(name);
    else {
      edit.set(name, score);
      elements.set(nameText(name), String(score));
    }
    edit.finish();
  }
  if (elements.size === 0) model.delete(key);
  else model.set(key, elements);
}

/** A transaction of several changes. The model of what there is after it. */
async function write(store: KvStore, model: Shown, random: SeededRandom): Promise<number> {
  const result = await store.transact((view) => {
    for (let count = random.between(1, 30); count > 0; count--) change(view, model, random);
    return view.replyRevision;
  });
  return result;
}

function snapshotOf(model: Shown): string {
  const inOrder = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] =>
    [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(inOrder(model).map(([key, elements]) => [key, inOrder(elements)]));
}

/** What a follower makes of an event. */
function follow(shown: Shown, event: WatchEvent): void {
  if (event.type === 'delete') {
    shown.delete(event.key);
    return;
  }
  const { entry, elements: told } = event;
  expect(told?.isLeftOut).toBe(false);
  const elements = told?.isWhole === true ? new Map<string, string>() : (shown.get(entry.key) ?? new Map());
  for (const each of told?.changes ?? []) {
    if (each.isRemoved) elements.delete(nameText(each.name));
    else elements.set(nameText(each.name), textOf(entry.type, each));
  }
  shown.set(entry.key, elements);
}

function textOf(type: string | undefined, { value, score }: ElementChange): string {
  return type === 'sortedSet' ? String(score) : nameText(value);
}

/** Follows from a revision on, and compares with each of the snapshots. */
async function expectFollowed(
  store: KvStore,
  startRevision: number,
  snapshots: ReadonlyMap<number, string>,
  begin?: () => void,
): Promise<void> {
  const shown: Shown = new Map();
  const last = Math.max(...snapshots.keys());
  for await (const message of store.watch({
    startRevision,
    includeElements: true,
    eventTypes: ['put', 'delete'],
  })) {
    if (message.kind === 'synced') begin?.();
    if (message.kind !== 'events') continue;
    for (const event of message.events) follow(shown, event);
    if (message.moreFragments) continue;
    expect([message.revision, snapshotOf(shown)]).toEqual([
      message.revision,
      snapshots.get(message.revision),
    ]);
    if (message.revision === last) return;
  }
}

test.each(SEEDS)(
  'who follows from the first revision has each state, from recent changes and from the log (seed %i)',
  async (seed) => {
    const random = new SeededRandom(seed);
    const { store, reopen } = await opened();
    const model: Shown = new Map();
    const snapshots = new Map<number, string>();
    for (let count = 0; count < REVISIONS; count++)
      snapshots.set(await write(store, model, random), snapshotOf(model));
    await expectFollowed(store, 1, snapshots);
    const { store: again } = await reopen();
    await expectFollowed(again, 1, snapshots);
  },
);

test('who waits is told as changes come', async () => {
  const random = new SeededRandom(9);
  const { store } = await opened();
  const model: Shown = new Map();
  const snapshots = new Map<number, string>();
  const follower = store.watch({ includeElements: true });
  expect((await follower.next()).value).toMatchObject({ kind: 'synced' });
  const shown: Shown = new Map();
  for (let count = 0; count < REVISIONS; count++) {
    const revision = await write(store, model, random);
    snapshots.set(revision, snapshotOf(model));
    for (;;) {
      const { value: message } = await follower.next();
      if (message?.kind !== 'events') break;
      for (const event of message.events) follow(shown, event);
      if (!message.moreFragments) break;
    }
    expect(snapshotOf(shown)).toBe(snapshots.get(revision));
  }
  await follower.return?.();
});

test('more than an event carries is left out, and said so', async () => {
  const { store } = await opened();
  const add = (first: number, count: number): Promise<void> =>
    store.transact((view) => {
      const edit = editSet(view, Buffer.from('s'));
      for (let index = first; index < first + count; index++) edit.add(Buffer.from(`member ${index}`));
      edit.save();
    });
  await add(0, fixed.watchElementsMax + 1);
  await add(fixed.watchElementsMax + 1, 2);
  const told: unknown[] = [];
  for await (const message of store.watch({ startRevision: 1, includeElements: true })) {
    if (message.kind === 'synced') break;
    if (message.kind !== 'events') continue;
    for (const event of message.events)
      if (event.type === 'put')
        told.push([event.elements?.isLeftOut, event.elements?.changes.length, event.elements?.isWhole]);
  }
  expect(told).toEqual([
    [true, 0, false],
    [false, 2, false],
  ]);
});

test('a plain value has no elements, nor has any event of a watch that does not ask', async () => {
  const { store } = await opened();
  await store.put('plain', '1');
  await store.transact((view) => {
    const edit = editSet(view, Buffer.from('s'));
    edit.add(Buffer.from('m'));
    edit.save();
  });
  for (const includeElements of [true, false]) {
    const told: unknown[] = [];
    for await (const message of store.watch({ startRevision: 1, includeElements })) {
      if (message.kind === 'synced') break;
      if (message.kind === 'events')
        for (const event of message.events) told.push('elements' in event ? event.elements : 'none');
    }
    const member = {
      name: new Uint8Array(Buffer.from('m')),
      value: new Uint8Array(0),
      score: 0,
      isRemoved: false,
    };
    expect(told).toEqual([
      'none',
      includeElements ? { changes: [member], isWhole: true, isLeftOut: false } : 'none',
    ]);
  }
});
