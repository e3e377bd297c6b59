import { describe, expect, it } from 'vitest';
import type { PlannedChange } from '../../../src/store/views/planned-change.ts';
import { fixed } from '../../../src/limits.ts';
import { bytesOf, SeamHarness, textOf } from './seam-harness.ts';

const value = bytesOf('v');

describe('onCommitted', () => {
  it('is told within the decision, before it is durable, of what changed in its order', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    const told: string[] = [];
    store.onCommitted((changes) => told.push(`${store.visibleRevision}: ${textOfChanges(changes)}`));
    harness.flushes.hold();
    store.decide((view) => {
      view.put(bytesOf('b'), value);
      view.put(bytesOf('a'), value);
      view.put(bytesOf('c'), value);
      view.delete(bytesOf('c'));
      view.put(bytesOf('b'), bytesOf('again'));
    });
    expect(told).toEqual(['0: put b=again, put a=v']);
    store.decide((view) => view.delete(bytesOf('b')));
    expect(told.at(-1)).toBe('0: delete b=');
    harness.flushes.release();
    await harness.durable();
    expect(told).toHaveLength(2);
  });
});

describe('queueDecide', () => {
  it('runs after all listeners were told, in order, before any other decision, and what it queues behind it', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    const told: string[] = [];
    let isQueued = false;
    store.onCommitted((changes) => {
      told.push(`first: ${textOfChanges(changes)}`);
      if (isQueued) return;
      isQueued = true;
      for (const name of ['x', 'y']) {
        store.queueDecide((view) => {
          told.push(`runs ${name} at ${view.revision}`);
          view.put(bytesOf(name), value);
        }, fail);
      }
    });
    store.onCommitted((changes) => {
      told.push(`second: ${textOfChanges(changes)}`);
      if (changes[0] === undefined || textOf(changes[0].key) !== 'x') return;
      store.queueDecide((view) => view.put(bytesOf('z'), value), fail);
    });
    const decision = store.decide((view) => view.put(bytesOf('a'), value));
    // Its own place, not that of what came after it.
    expect(decision.sequence).toBe(1);
    store.decide((view) => view.put(bytesOf('b'), value));
    expect(told).toEqual([
      'first: put a=v',
      'second: put a=v',
      'runs x at 1',
      'first: put x=v',
      'second: put x=v',
      'runs y at 2',
      'first: put y=v',
      'second: put y=v',
      'first: put z=v',
      'second: put z=v',
      'first: put b=v',
      'second: put b=v',
    ]);
    expect(store.committedSequence).toBe(5);
    await harness.durable();
  });

  it('gives what a queued decision throws to its onFailure, and runs the others', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    const failures: unknown[] = [];
    const failure = new Error('of the queued one');
    const stop = store.onCommitted(() => {
      store.queueDecide(
        (view) => {
          view.put(bytesOf('lost'), value);
          throw failure;
        },
        (error) => failures.push(error),
      );
      store.queueDecide((view) => void view.put(bytesOf('kept'), value), fail);
      stop();
    });
    expect(store.decide((view) => view.put(bytesOf('a'), value))).toMatchObject({
      sequence: 1,
      hasChanged: true,
    });
    expect(failures).toEqual([failure]);
    await harness.durable();
    expect(store.visibleRevision).toBe(2);
    expect(store.readVisible((view) => view.read(bytesOf('lost')))).toBeUndefined();
    expect(store.readVisible((view) => view.read(bytesOf('kept')))).toBeDefined();
  });

  it('tells the operator of an onFailure that throws; neither caller nor other decisions are hit', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    const failure = new Error('of onFailure');
    const stop = store.onCommitted(() => {
      store.queueDecide(
        () => {
          throw new Error('of the queued one');
        },
        () => {
          throw failure;
        },
      );
      store.queueDecide((view) => void view.put(bytesOf('kept'), value), fail);
      stop();
    });
    expect(store.decide((view) => view.put(bytesOf('a'), value))).toMatchObject({ sequence: 1 });
    expect(store.committedSequence).toBe(2);
    expect(harness.events.filter(({ kind }) => kind === 'listenerFailed')).toEqual([
      { kind: 'listenerFailed', error: failure },
    ]);
  });

  it('ends a chain of decisions that never would, and lets the others be', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    const failures: unknown[] = [];
    let isStopped = false;
    store.onCommitted(() => {
      if (isStopped) return;
      store.queueDecide(
        (view) => void view.put(bytesOf('z'), value),
        (error) => failures.push(error),
      );
    });
    expect(store.decide((view) => view.put(bytesOf('a'), value))).toMatchObject({ sequence: 1 });
    expect(failures).toMatchObject([{ code: 'limitReached' }]);
    const chained = store.committedSequence - 1;
    expect(chained).toBeGreaterThan(1000);
    expect(chained).toBeLessThanOrEqual(fixed.requestVisitsMax / fixed.queuedDecisionVisits);
    isStopped = true;
    store.decide((view) => view.put(bytesOf('b'), value));
    await harness.durable();
  });

  it('refuses more than its limit', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    let refused: unknown;
    let count = 0;
    const stop = store.onCommitted(() => {
      stop();
      try {
        for (; count <= fixed.queuedDecisionsMax; count++) store.queueDecide(() => undefined, fail);
      } catch (error) {
        refused = error;
      }
    });
    store.decide((view) => view.put(bytesOf('a'), value));
    expect(refused).toMatchObject({ code: 'limitReached' });
    expect(count).toBe(fixed.queuedDecisionsMax);
  });
});

describe('a listener that throws', () => {
  const kinds = ['onCommitted', 'onDurable', 'onVisible'] as const;

  it.each(kinds)('is told no more, the operator is, and all others go on: %s', async (kind) => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    const told: string[] = [];
    const failure = new Error('of the listener');
    store[kind](() => told.push('before'));
    store[kind](() => {
      told.push('fails');
      throw failure;
    });
    store[kind](() => told.push('behind'));
    await harness.decide((view) => view.put(bytesOf('a'), value));
    expect(told).toEqual(['before', 'fails', 'behind']);
    expect(harness.events.filter((event) => event.kind === 'listenerFailed')).toEqual([
      { kind: 'listenerFailed', error: failure },
    ]);
    await harness.decide((view) => view.put(bytesOf('b'), value));
    expect(told.slice(3)).toEqual(['before', 'behind']);
    expect(store.visibleRevision).toBe(2);
  });

  it('since it decides by itself breaks with what was wrong, and its decision has changed nothing', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    store.onCommitted(() => void store.decide((view) => view.put(bytesOf('inner'), value)));
    await harness.decide((view) => view.put(bytesOf('a'), value));
    expect(harness.events.at(-1)).toMatchObject({
      kind: 'listenerFailed',
      error: { message: 'broken invariant: a decision is not made within another one' },
    });
    await harness.decide((view) => view.put(bytesOf('b'), value));
    expect(store).toMatchObject({ committedSequence: 2, visibleRevision: 2 });
  });

  it.each(kinds)('is not told once it was stopped, also by another while both are told: %s', async (kind) => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    const told: string[] = [];
    const stopFirst = store[kind](() => told.push('first'));
    let stopThird = (): void => undefined;
    const stopSecond = store[kind](() => {
      told.push('second');
      stopSecond();
      stopThird();
    });
    stopThird = store[kind](() => told.push('third'));
    await harness.decide((view) => view.put(bytesOf('a'), value));
    expect(told).toEqual(['first', 'second']);
    stopFirst();
    await harness.decide((view) => view.put(bytesOf('b'), value));
    expect(told).toEqual(['first', 'second']);
  });

  it('that was added twice is told twice, and one stop ends one of them', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    let count = 0;
    const listen = (): void => void count++;
    const stop = store.onCommitted(listen);
    store.onCommitted(listen);
    store.decide((view) => view.put(bytesOf('a'), value));
    expect(count).toBe(2);
    stop();
    store.decide((view) => view.put(bytesOf('b'), value));
    expect(count).toBe(3);
  });
});

describe('onDurable and onVisible', () => {
  it('are told once the visible revision has moved, revision by revision, and of nothing that is not durable', async () => {
    const harness = await SeamHarness.open();
    const { store, flushes } = harness;
    const told: string[] = [];
    store.onDurable((sequence, failure) =>
      told.push(`durable ${sequence} at ${store.visibleRevision}${failure === undefined ? '' : ' failed'}`),
    );
    store.onVisible((revision, changes) =>
      told.push(
        `visible ${revision} at ${store.visibleRevision}: ${changes.map(({ type, key }) => `${type} ${key}`).join(', ')}`,
      ),
    );
    flushes.hold();
    store.decide((view) => [view.put(bytesOf('b'), value), view.put(bytesOf('a'), value)]);
    store.decide((view) => view.grantLease(7, 60_000));
    store.decide((view) => view.delete(bytesOf('a')));
    await harness.clock.settled();
    expect(flushes.waitingCount).toBeGreaterThan(0);
    expect(told).toEqual([]);
    flushes.release();
    await harness.durable();
    expect(told).toEqual(['visible 1 at 1: put b, put a', 'visible 2 at 2: delete a', 'durable 3 at 2']);
    expect(store.durableSequence).toBe(3);
  });

  it('tell a note of leases by its sequence alone', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    const told: string[] = [];
    store.onDurable((sequence) => told.push(`durable ${sequence}`));
    store.onVisible((revision) => told.push(`visible ${revision}`));
    await harness.decide((view) => view.grantLease(7, 60_000));
    expect(told).toEqual(['durable 1']);
  });

  it('tell of a failed log once, with the last that is durable, and of nothing after it', async () => {
    const harness = await SeamHarness.open();
    const { store } = harness;
    await harness.decide((view) => view.put(bytesOf('a'), value));
    const told: unknown[] = [];
    store.onDurable((sequence, failure) =>
      told.push([sequence, store.visibleRevision, failure?.whenChanged, failure?.whenUnchanged]),
    );
    store.onVisible((revision) => told.push(revision));
    harness.disk.injectFault({ call: 'sync', pathEnd: '.log' });
    const decision = store.decide((view) => view.put(bytesOf('b'), value));
    await store.failed;
    expect(told).toMatchObject([[1, 1, { code: 'storageFailed' }, { code: 'readOnly' }]]);
    expect(decision.sequence).toBe(2);
    expect(() => store.decide((view) => view.put(bytesOf('c'), value))).toThrow(
      expect.objectContaining({ code: 'readOnly' }),
    );
    expect(told).toHaveLength(1);
  });
});

function textOfChanges(changes: readonly PlannedChange[]): string {
  return changes.map(({ type, key, value: text }) => `${type} ${textOf(key)}=${textOf(text)}`).join(', ');
}

function fail(error: unknown): void {
  throw error;
}
