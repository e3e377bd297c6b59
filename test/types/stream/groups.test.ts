/** Groups of consumers: where they lie, what stays true of them behind a crash, what work they are, and how much one call hands out. */
import { describe, expect, it } from 'vitest';
import { fixed } from '../../../src/limits.ts';
import type { View } from '../../../src/store/views/view.ts';
import { deliver, deliverAgain, newEntries, seenConsumer } from '../../../src/types/stream/delivery.ts';
import { addEntry, packFields, removeEntries } from '../../../src/types/stream/entries.ts';
import { createGroup, type Group, readGroup, UNKNOWN } from '../../../src/types/stream/groups.ts';
import { lagOf } from '../../../src/types/stream/lag.ts';
import {
  countOwned,
  countPending,
  PendingWalk,
  putPending,
  readPending,
  removeAllPending,
  removePending,
} from '../../../src/types/stream/pending.ts';
import { Stream } from '../../../src/types/stream/stream.ts';
import { formatId, ID_MAX, ID_ZERO, idOfTime } from '../../../src/types/stream/stream-id.ts';
import { SeededRandom } from '../../support/random.ts';
import { bytesOf, SeamHarness, textOf } from '../../store/seam/seam-harness.ts';

const KEY = bytesOf('s');
const GROUP = bytesOf('g');

function streamOf(view: View): Stream {
  const stream = Stream.read(view, KEY);
  if (stream === undefined) throw new Error('there is no stream');
  return stream;
}

function groupOf(view: View, stream: Stream): Group {
  const group = readGroup(view, stream, GROUP);
  if (group === undefined) throw new Error('there is no group');
  return group;
}

/** A stream with entries of the times 1 to `count`, and a group that has read nothing. */
async function filled(count: number, fieldBytes = 1): Promise<SeamHarness> {
  const harness = await SeamHarness.open();
  const fields = packFields([bytesOf('f'), new Uint8Array(fieldBytes)]);
  await harness.decide((view) => {
    const stream = Stream.create(view);
    createGroup(view, stream, GROUP, ID_ZERO, UNKNOWN);
    stream.write(view, KEY);
  });
  const piece = fieldBytes > 1000 ? 200 : 2000;
  for (let from = 1; from <= count; from += piece) {
    await harness.decide((view) => {
      const stream = streamOf(view);
      for (let ms = from; ms < from + piece && ms <= count; ms++)
        addEntry(view, stream, idOfTime(ms), fields);
      stream.write(view, KEY);
    });
  }
  return harness;
}

function read(view: View, name: string, countMax?: number): number {
  const stream = streamOf(view);
  const group = groupOf(view, stream);
  const { consumer } = seenConsumer(view, stream, group, bytesOf(name));
  const entries = deliver(view, stream, group, consumer, newEntries(view, stream, group, countMax), true);
  stream.write(view, KEY);
  return entries.length;
}

/** What is pending, by the keys of the group, and by those of each consumer. */
function pendingOf(view: View, names: readonly string[]): string[][] {
  const stream = streamOf(view);
  const group = groupOf(view, stream);
  const all = (walk: PendingWalk): string[] => {
    const told: string[] = [];
    while (walk.hasMore)
      for (const { id, name, deliveries } of walk.next(view, 7))
        told.push(`${formatId(id)} ${textOf(name)} ${deliveries}`);
    return told;
  };
  const owned = names.flatMap((name) => {
    const { consumer } = seenConsumer(view, stream, group, bytesOf(name));
    const told = all(new PendingWalk(stream, group, ID_ZERO, ID_MAX, consumer));
    expect(countOwned(view, stream, group, consumer)).toBe(told.length);
    return told;
  });
  const told = all(new PendingWalk(stream, group, ID_ZERO, ID_MAX));
  expect(countPending(view, stream, group)).toBe(told.length);
  return [told, owned.sort((a, b) => Number.parseInt(a) - Number.parseInt(b))];
}

describe('a group', () => {
  it('is a key, with one for each consumer and two for what is pending', async () => {
    const { store } = await filled(2);
    store.decide((view) => {
      read(view, 'al', 1);
      const rows: string[] = [];
      view.scan({ start: bytesOf('\xfa'), end: bytesOf('\xfb') }, false, (shown) => {
        const [key, value] = [
          Buffer.from(shown.key).toString('hex'),
          Buffer.from(shown.value).toString('hex'),
        ];
        if (key.slice(18, 20) !== '65') rows.push(`${key.slice(18)} ${value}`);
        return true;
      });
      const seen = view.instantMs.toString(16).padStart(16, '0');
      const one = `${'1'.padStart(16, '0')}${'0'.repeat(16)}`;
      expect(rows).toEqual([
        `6767 0000000000000001${one}0000000000000001`,
        `6e00000000616c 00000000${seen}`,
        `6f0000000000000000${one} `,
        `7000000000${one} 00000000${seen}0000000000000001616c`,
      ]);
    });
  });

  it('has nothing more to hand out behind the last id that there can be', async () => {
    const { store } = await filled(1);
    store.decide((view) => {
      const stream = streamOf(view);
      addEntry(view, stream, ID_MAX, packFields([bytesOf('f'), bytesOf('v')]));
      stream.write(view, KEY);
      expect([1, 2].map(() => read(view, 'a'))).toEqual([2, 0]);
    });
  });

  it('hands each entry to one consumer, and what is pending is the same by both orders, behind a crash too', async () => {
    const harness = await filled(300);
    const random = new SeededRandom(7);
    const names = ['a', 'b', 'c'];
    const model = new Map<number, { name: string; deliveries: number }>();
    let last = 0;
    for (let step = 0; step < 80; step++) {
      await harness.decide((view) => {
        const name = random.pick(names);
        const ms = random.between(1, last + 1);
        const draw = random.below(4);
        const stream = streamOf(view);
        const group = groupOf(view, stream);
        const pending = readPending(view, stream, group, idOfTime(ms));
        if (draw < 2) {
          const count = read(view, name, random.between(1, 8));
          for (let left = count; left > 0; left--) model.set(++last, { name, deliveries: 1 });
        } else if (draw === 2 && pending !== undefined) {
          removePending(view, stream, group, pending);
          stream.write(view, KEY);
          expect(model.delete(ms)).toBe(true);
        } else if (pending !== undefined) {
          const { consumer } = seenConsumer(view, stream, group, bytesOf(name));
          const now = { id: pending.id, deliveredMs: view.instantMs, deliveries: pending.deliveries + 1 };
          putPending(view, stream, group, consumer, now, pending);
          stream.write(view, KEY);
          model.set(ms, { name, deliveries: now.deliveries });
        }
      });
    }
    const wanted = [...model]
      .sort(([a], [b]) => a - b)
      .map(([ms, { name, deliveries }]) => `${ms}-0 ${name} ${deliveries}`);
    expect(wanted.length).toBeGreaterThan(20);
    await harness.crash();
    await harness.decide((view) => {
      expect(pendingOf(view, names)).toEqual([wanted, wanted]);
      const stream = streamOf(view);
      const group = groupOf(view, stream);
      expect(formatId(group.lastId)).toBe(`${last}-0`);
      expect(group.entriesRead).toBe(last);
      expect(lagOf(stream, group)).toBe(300 - last);
      // An entry that is removed in front of it makes the lag unknown until it is behind.
      removeEntries(view, stream, [idOfTime(last + 2)]);
      expect(lagOf(stream, group)).toBeUndefined();
    });
  });
});

describe('one call', { timeout: 120_000 }, () => {
  it('hands out a bounded number of entries, and the rest with the next', async () => {
    const { store } = await filled(12_000);
    const counts = [1, 2, 3].map(() => store.decide((view) => read(view, 'a')).result);
    expect(counts).toEqual([fixed.streamDeliveredMax, 2000, 0]);
    const again = store.decide((view) => {
      const stream = streamOf(view);
      const group = groupOf(view, stream);
      const { consumer } = seenConsumer(view, stream, group, bytesOf('a'));
      return deliverAgain(view, stream, group, consumer, ID_ZERO).length;
    });
    expect(again.result).toBe(fixed.streamDeliveredMax);
    const hasMore = store.decide((view) => {
      const stream = streamOf(view);
      const group = groupOf(view, stream);
      return removeAllPending(view, stream, new PendingWalk(stream, group, ID_ZERO, ID_MAX), group, 10_000);
    });
    expect(hasMore.result).toBe(true);
  });

  it('hands out a bounded number of bytes', async () => {
    const { store } = await filled(1200, 60_000);
    const first = store.decide((view) => read(view, 'a')).result;
    expect(first).toBeGreaterThan(100);
    expect(first).toBeLessThan(1200);
    let count = first;
    for (let more = first; more > 0; count += more) more = store.decide((view) => read(view, 'a')).result;
    expect(count).toBe(1200);
  });

  it('looks at a few keys for one entry, however many are pending', async () => {
    const { store } = await filled(12_000);
    store.decide((view) => read(view, 'a'));
    store.decide((view) => {
      const before = view.budget.visitsLeft;
      read(view, 'b', 1);
      expect(before - view.budget.visitsLeft).toBeLessThan(60);
    });
  });
});
