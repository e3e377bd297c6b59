/** Streams against arrays: in transactions, at every revision since, and behind a crash; where their entries lie, and what work they are. */
import { describe, expect, it } from 'vitest';
import type { ReadView, View } from '../../../src/store/views/view.ts';
import { addEntry, edgeId, EntrySpan, packFields, removeEntries } from '../../../src/types/stream/entries.ts';
import { Stream } from '../../../src/types/stream/stream.ts';
import { formatId, ID_MAX, ID_ZERO, parseId } from '../../../src/types/stream/stream-id.ts';
import { trim } from '../../../src/types/stream/trim.ts';
import { bytesOf, SeamHarness, textOf } from '../../store/seam/seam-harness.ts';
import { SeededRandom } from '../../support/random.ts';
import { hiddenVisitsOfEngine, KEPT_HISTORY } from '../../support/test-engine.ts';

const KEY = bytesOf('s');

function id(ms: number): Uint8Array {
  return parseId(String(ms)) ?? ID_ZERO;
}

function add(view: View, ...times: number[]): void {
  const stream = Stream.read(view, KEY) ?? Stream.create(view);
  for (const ms of times) addEntry(view, stream, id(ms), packFields(['f', `v${ms}`].map(bytesOf)));
  stream.write(view, KEY);
}

function change<R>(view: View, run: (stream: Stream) => R): R {
  const stream = Stream.read(view, KEY);
  if (stream === undefined) throw new Error('there is no stream');
  const result = run(stream);
  stream.write(view, KEY);
  return result;
}

/** The entries of a state, as the metadata and the keys have them. */
function entriesOf(view: ReadView): {
  readonly times: number[];
  readonly count: number;
  readonly first: string;
} {
  const stream = Stream.read(view, KEY);
  const times: number[] = [];
  if (stream === undefined) return { times, count: 0, first: '' };
  const { start, end } = { start: bytesOf('\xfa'), end: bytesOf('\xfb') };
  view.scan({ start, end }, false, (shown) => {
    const key = shown.copyKey();
    const isEntry =
      Buffer.from(key.subarray(1, 9)).readBigUInt64BE() === BigInt(stream.id) && key[9] === 0x65;
    if (isEntry) times.push(Number(formatId(key.subarray(10)).split('-')[0]));
    return true;
  });
  return { times, count: stream.count, first: formatId(stream.firstId) };
}

function expectTimes(view: ReadView, times: readonly number[]): void {
  expect(entriesOf(view)).toEqual({ times, count: times.length, first: `${times[0] ?? 0}-0` });
}

describe('a stream', () => {
  it('is metadata and a key for each entry', async () => {
    const { store } = await SeamHarness.open();
    store.decide((view) => {
      add(view, 1, 2);
      const rows: string[] = [];
      view.scan({ start: new Uint8Array(0), end: undefined }, false, (shown) => {
        rows.push(
          `${Buffer.from(shown.key).toString('hex')} ${shown.kind} ${Buffer.from(shown.value).toString('hex')}`,
        );
        return true;
      });
      const of = (ms: number): string => `000000000000000${ms}0000000000000000`;
      expect(rows).toEqual([
        `73 5 0102${of(2)}${of(0)}${of(1)}000000000000000200000000`,
        `fa000000000000000165${of(1)} 0 0166027631`,
        `fa000000000000000165${of(2)} 0 0166027632`,
      ]);
    });
  });

  it.each([1, 2, 3])('answers as an array does, at every revision since (seed %i)', async (seed) => {
    const harness = await SeamHarness.open({ seed, limits: KEPT_HISTORY });
    const random = new SeededRandom(seed);
    let model: number[] = [];
    let last = 0;
    const states: { readonly revision: number; readonly model: readonly number[] }[] = [];
    await harness.decide((view) => add(view, ++last));
    model = [last];
    for (let step = 0; step < 120; step++) {
      await harness.decide((view) => {
        for (let left = random.between(1, 3); left > 0; left--) {
          const draw = random.below(10);
          if (draw < 6) {
            const times = Array.from({ length: random.pick([1, 1, 5, 60]) }, () => ++last);
            add(view, ...times);
            model = [...model, ...times];
          } else if (draw < 8) {
            const gone = new Set(Array.from({ length: 3 }, () => random.between(0, last)));
            if (random.chance(0.3) && model[0] !== undefined) gone.add(model[0]);
            const removed = change(view, (stream) => removeEntries(view, stream, [...gone].map(id)));
            expect(removed).toBe(model.filter((ms) => gone.has(ms)).length);
            model = model.filter((ms) => !gone.has(ms));
          } else if (draw === 8) {
            const count = random.pick([0, 10, 40]);
            change(view, (stream) =>
              trim(
                view,
                stream,
                { bound: { by: 'count', count }, isAbout: false, removedMax: Infinity },
                true,
              ),
            );
            model = model.slice(Math.max(0, model.length - count));
          } else {
            const from = random.between(last - 50, last + 1);
            change(view, (stream) =>
              trim(
                view,
                stream,
                {
                  bound: { by: 'id', id: id(Math.max(0, from)) },
                  isAbout: false,
                  removedMax: Infinity,
                },
                true,
              ),
            );
            model = model.filter((ms) => ms >= from);
          }
          expectTimes(view, model);
        }
      });
      states.push({ revision: harness.store.visibleRevision, model: [...model] });
    }
    for (const { revision, model: then } of states)
      harness.store.readAt({ revision, instantMs: 0 }, (view) => expectTimes(view, then));
    await harness.crash();
    harness.store.readVisible((view) => expectTimes(view, model));
    await harness.decide((view) => add(view, ++last));
    harness.store.readVisible((view) => expectTimes(view, [...model, last]));
  });

  it('is read from both ends, in pieces', async () => {
    const { store } = await SeamHarness.open();
    store.decide((view) => {
      add(view, 1, 2, 3, 4, 5, 6, 7);
      const stream = Stream.read(view, KEY);
      if (stream === undefined) throw new Error('there is no stream');
      const read = (span: EntrySpan): string[] => {
        const told: string[] = [String(span.count)];
        const visit = (entryId: Uint8Array, fields: Uint8Array): void =>
          void told.push(`${formatId(entryId)} ${textOf(fields)}`);
        while (span.step(view, 2, visit));
        return told;
      };
      const entry = (ms: number): string => `${ms}-0 \x01f\x02v${ms}`;
      expect(read(new EntrySpan(view, stream, id(2), id(6)))).toEqual(['5', ...[2, 3, 4, 5, 6].map(entry)]);
      expect(read(new EntrySpan(view, stream, ID_ZERO, ID_MAX, true, 3))).toEqual([
        '3',
        ...[7, 6, 5].map(entry),
      ]);
      expect(read(new EntrySpan(view, stream, id(8), ID_MAX))).toEqual(['0']);
      expect(formatId(edgeId(view, stream, true))).toBe('7-0');
    });
  });
});

describe('trimming', { timeout: 120_000 }, () => {
  const COUNT = 25_000;
  const PIECE = 5000;

  async function longStream(): Promise<SeamHarness> {
    const harness = await SeamHarness.open();
    for (let from = 1; from <= COUNT; from += PIECE)
      await harness.decide((view) => add(view, ...Array.from({ length: PIECE }, (_, index) => from + index)));
    return harness;
  }

  const trimmed = (view: View, count: number, isAbout: boolean, removedMax: number): [number, number] => {
    const before = view.budget.visitsLeft;
    const removed = change(view, (stream) =>
      trim(view, stream, { bound: { by: 'count', count }, isAbout, removedMax }, true),
    );
    return [removed.count, before - view.budget.visitsLeft];
  };

  it('goes by hundreds where it may, writes little anew where little stays, and reads nothing of what is gone', async () => {
    const harness = await longStream();
    const { store } = harness;
    const visits = hiddenVisitsOfEngine();
    store.decide((view) => {
      expect(trimmed(view, COUNT - 99, true, 10_000)[0]).toBe(0);
      expect(trimmed(view, COUNT - 250, true, 10_000)[0]).toBe(200);
      expect(trimmed(view, 0, true, 99)[0]).toBe(0);
      expect(trimmed(view, 0, true, 10_000)[0]).toBe(10_000);
    });
    // The first entry that is left is found at once.
    store.decide((view) => {
      const before = view.budget.visitsLeft;
      const stream = Stream.read(view, KEY);
      expect(stream && formatId(edgeId(view, stream, false))).toBe('10201-0');
      expect(before - view.budget.visitsLeft).toBeLessThan(8 + visits);
    });
    store.decide((view) => {
      const [removed, spent] = trimmed(view, 100, false, Infinity);
      expect(removed).toBe(COUNT - 10_200 - 100);
      expect(spent).toBeLessThan(1000 + 2 * visits);
      expectTimes(
        view,
        Array.from({ length: 100 }, (_, index) => COUNT - 99 + index),
      );
    });
    await harness.durable();
    store.decide((view) => {
      expect(trimmed(view, 0, false, Infinity)[0]).toBe(100);
      expectTimes(view, []);
      add(view, COUNT + 1);
      expectTimes(view, [COUNT + 1]);
    });
  });
});
