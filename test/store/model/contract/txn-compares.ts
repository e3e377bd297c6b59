/** Compares of a transaction: every kind, on keys and on ranges, on what exists and what does not. */
import { expect, it } from 'vitest';
import type { Compare, Relation, Store } from '../../../../src/api.ts';
import { bytes, refused } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

const RELATIONS: readonly Relation[] = ['equal', 'notEqual', 'less', 'greater'];
const NUMBERS = ['version', 'createRevision', 'modRevision', 'leaseId'] as const;

export function testCompares(open: OpenHarness): void {
  it('compares the numbers of a key', async () => {
    const { store } = await open();
    await store.put('x', '');
    const { leaseId } = await store.grantLease(60_000, 50);
    await store.put('k', '1');
    await store.put('k', '2', { leaseId });
    const numbers = { version: 2, createRevision: 2, modRevision: 3, leaseId: 50 };
    for (const kind of NUMBERS) {
      const there = numbers[kind];
      expect(await relationsOf(store, { key: 'k' }, { kind, value: there })).toEqual(['equal']);
      expect(await relationsOf(store, { key: 'k' }, { kind, value: there + 1 })).toEqual([
        'notEqual',
        'less',
      ]);
      expect(await relationsOf(store, { key: 'k' }, { kind, value: there - 1 })).toEqual([
        'notEqual',
        'greater',
      ]);
    }
  });

  it('takes the numbers of a missing key as 0', async () => {
    const { store } = await open();
    for (const kind of NUMBERS) {
      expect(await relationsOf(store, { key: 'missing' }, { kind, value: 0 })).toEqual(['equal']);
      expect(await relationsOf(store, { key: 'missing' }, { kind, value: 1 })).toEqual(['notEqual', 'less']);
    }
  });

  it('compares values byte by byte; no value is that of a missing key', async () => {
    const { store } = await open();
    await store.put('k', 'b');
    await store.put('empty', '');
    const value = (text: string) => ({ kind: 'value', value: bytes(text) }) as const;
    expect(await relationsOf(store, { key: 'k' }, value('b'))).toEqual(['equal']);
    expect(await relationsOf(store, { key: 'k' }, value('a'))).toEqual(['notEqual', 'greater']);
    expect(await relationsOf(store, { key: 'k' }, value('b\0'))).toEqual(['notEqual', 'less']);
    expect(await relationsOf(store, { key: 'k' }, value('\u{10000}'))).toEqual(['notEqual', 'less']);
    expect(await relationsOf(store, { key: 'empty' }, value(''))).toEqual(['equal']);
    expect(await relationsOf(store, { key: 'missing' }, value(''))).toEqual(['notEqual']);
  });

  it('compares existence, and only for equal and not equal', async () => {
    const { store } = await open();
    await store.put('k', '');
    const exists = (value: boolean) => ({ kind: 'exists', value }) as const;
    expect(await succeeds(store, { subject: { key: 'k' }, relation: 'equal', operand: exists(true) })).toBe(
      true,
    );
    expect(
      await succeeds(store, { subject: { key: 'k' }, relation: 'notEqual', operand: exists(true) }),
    ).toBe(false);
    expect(await succeeds(store, { subject: { key: 'x' }, relation: 'equal', operand: exists(false) })).toBe(
      true,
    );
    expect(
      await succeeds(store, { subject: { key: 'x' }, relation: 'notEqual', operand: exists(false) }),
    ).toBe(false);
    for (const relation of ['less', 'greater'] as const) {
      const compare: Compare = { subject: { key: 'k' }, relation, operand: exists(true) };
      await refused(store.txn({ compares: [compare] }), 'invalidArgument');
    }
  });

  it('holds for a range when it holds for every key there, and so for none', async () => {
    const { store } = await open();
    await store.put('a1', 'x');
    await store.put('a2', 'x');
    await store.put('a2', 'x');
    const a = { range: { prefix: 'a' } };
    const none = { range: { prefix: 'none' } };
    expect(await relationsOf(store, a, { kind: 'value', value: bytes('x') })).toEqual(['equal']);
    expect(await relationsOf(store, a, { kind: 'version', value: 1 })).toEqual([]);
    expect(await relationsOf(store, a, { kind: 'version', value: 3 })).toEqual(['notEqual', 'less']);
    expect(await relationsOf(store, a, { kind: 'createRevision', value: 0 })).toEqual([
      'notEqual',
      'greater',
    ]);
    expect(await relationsOf(store, { range: { key: 'a2' } }, { kind: 'version', value: 2 })).toEqual([
      'equal',
    ]);
    for (const kind of NUMBERS) {
      expect(await relationsOf(store, none, { kind, value: 7 })).toEqual([...RELATIONS]);
    }
    expect(await relationsOf(store, none, { kind: 'value', value: bytes('') })).toEqual([...RELATIONS]);
  });

  it('asks with existence whether a range has any key', async () => {
    const { store } = await open();
    await store.put('a1', '');
    const ask = (prefix: string, relation: Relation, value: boolean) =>
      succeeds(store, { subject: { range: { prefix } }, relation, operand: { kind: 'exists', value } });
    expect(await ask('a', 'equal', true)).toBe(true);
    expect(await ask('a', 'equal', false)).toBe(false);
    expect(await ask('a', 'notEqual', false)).toBe(true);
    expect(await ask('b', 'equal', true)).toBe(false);
    expect(await ask('b', 'equal', false)).toBe(true);
    expect(await ask('b', 'notEqual', true)).toBe(true);
    await store.delete('a1');
    expect(await ask('a', 'equal', false)).toBe(true);
  });

  it('runs the success branch only when all compares hold', async () => {
    const { store } = await open();
    const version = (value: number): Compare => ({
      subject: { key: 'k' },
      relation: 'equal',
      operand: { kind: 'version', value },
    });
    const branches = {
      success: [{ kind: 'put', key: 'took', value: 'success' }],
      failure: [{ kind: 'put', key: 'took', value: 'failure' }],
    } as const;
    expect(await store.txn({ compares: [version(0), version(0)], ...branches })).toMatchObject({
      succeeded: true,
    });
    expect(await store.txn({ compares: [version(0), version(1)], ...branches })).toMatchObject({
      succeeded: false,
    });
    expect(await store.txn(branches)).toMatchObject({ succeeded: true, revision: 3 });
  });

  it('refuses compares that break a rule, whatever the others say', async () => {
    const { store } = await open();
    const isFalse: Compare = {
      subject: { key: 'x' },
      relation: 'equal',
      operand: { kind: 'exists', value: true },
    };
    const version = { kind: 'version', value: 1 } as const;
    const wrong: Compare[] = [
      { subject: { key: '' }, relation: 'equal', operand: version },
      { subject: { range: { start: 'b', end: 'a' } }, relation: 'equal', operand: version },
      { subject: { key: 'k' }, relation: 'less', operand: { kind: 'exists', value: true } },
      ...[-1, 0.5, NaN].map((value) => {
        return { subject: { key: 'k' }, relation: 'equal', operand: { kind: 'modRevision', value } } as const;
      }),
    ];
    for (const compare of wrong) {
      await refused(store.txn({ compares: [compare] }), 'invalidArgument');
      await refused(store.txn({ compares: [isFalse, compare] }), 'invalidArgument');
    }
    const many = Array.from({ length: 1001 }, () => isFalse);
    await refused(store.txn({ compares: many }), 'invalidArgument');
    expect(await store.txn({ compares: many.slice(1) })).toMatchObject({ succeeded: false });
  });
}

async function succeeds(store: Store, compare: Compare): Promise<boolean> {
  return (await store.txn({ compares: [compare] })).succeeded;
}

/** Those relations that hold. */
async function relationsOf(
  store: Store,
  subject: Compare['subject'],
  operand: Compare['operand'],
): Promise<Relation[]> {
  const holding: Relation[] = [];
  for (const relation of RELATIONS) {
    if (await succeeds(store, { subject, relation, operand })) holding.push(relation);
  }
  return holding;
}
