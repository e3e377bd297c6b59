/** Calls of a store by chance: few keys, few leases and short times, so that they meet. */
import * as fc from 'fast-check';
import type {
  Compare,
  Condition,
  DeletedRange,
  KeyRange,
  Operation,
  PutOptions,
  Relation,
  TxnRequest,
} from '../../../src/api.ts';
import { bytes } from './readable.ts';
import { KEYS } from './store-model.ts';

/** What is done to the store and to the model. */
export type Call =
  | { readonly call: 'put'; readonly key: string; readonly value: string; readonly options: PutOptions }
  | {
      readonly call: 'delete';
      readonly key: string;
      readonly condition: Condition | undefined;
      readonly returnPrevious: boolean;
    }
  | { readonly call: 'deleteRange'; readonly range: DeletedRange; readonly inParts: boolean }
  | {
      readonly call: 'increment';
      readonly key: string;
      readonly delta: bigint;
      readonly ttlMs: number | undefined;
    }
  | { readonly call: 'touch'; readonly key: string; readonly ttlMs: number | undefined }
  | { readonly call: 'refresh' | 'get'; readonly key: string }
  /** At a revision, as a part of the newest one. */
  | { readonly call: 'getAt'; readonly key: string; readonly part: number }
  | {
      readonly call: 'scan';
      readonly range: KeyRange;
      readonly part: number;
      readonly reverse: boolean;
      readonly limit: number;
    }
  | { readonly call: 'exists' }
  | { readonly call: 'txn'; readonly request: TxnRequest }
  | { readonly call: 'grantLease'; readonly leaseId: number; readonly ttlMs: number }
  | { readonly call: 'renewLease' | 'revokeLease' | 'getLease'; readonly leaseId: number }
  | { readonly call: 'compact'; readonly part: number };

/** What happens around the calls. */
export type Step =
  | Call
  | { readonly step: 'advance'; readonly ms: number }
  /** Calls while the wall clock stands that much later: keys are dead then that nobody has removed. */
  | { readonly step: 'jump'; readonly ms: number; readonly calls: readonly Call[] }
  | { readonly step: 'snapshot' }
  | { readonly step: 'reopen'; readonly downMs: number }
  | { readonly step: 'crash'; readonly how: 'endProcess' | 'losePower' };

const key = fc.constantFrom(...KEYS);
const value = fc.constantFrom('', 'x', '1', '41', '-7', '9223372036854775807', 'a longer value');
const leaseId = fc.constantFrom(1, 2, 3);
const ttlMs = fc.constantFrom(1, 100, 700, 1000, 2500);
const optionalTtlMs = fc.option(ttlMs, { nil: undefined });
const part = fc.double({ min: 0, max: 1.1, noNaN: true });
const delta = fc.constantFrom(0n, 1n, -5n, 2n ** 62n, -(2n ** 63n));

const partRange: fc.Arbitrary<KeyRange> = fc.oneof(
  fc.record({ key }),
  fc.record({ prefix: fc.constantFrom('a', 'b', '\uffff', '\u{10000}') }),
  fc.constantFrom({ start: 'a', end: 'b' }, { start: 'ab' }, { end: 'ba' }, { start: 'b', end: '\u{10000}' }),
);
const range: fc.Arbitrary<KeyRange> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 3, arbitrary: partRange },
);
const deletedRange: fc.Arbitrary<DeletedRange> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ all: true } as const) },
  { weight: 3, arbitrary: partRange },
);

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.constant({ kind: 'mustExist' } as const),
  fc.constant({ kind: 'mustNotExist' } as const),
  fc.record({ kind: fc.constant('modRevisionEquals' as const), modRevision: fc.nat(12) }),
);

const options = fc.record(
  { ttlMs, leaseId, condition, returnPrevious: fc.boolean() },
  { requiredKeys: [] },
) satisfies fc.Arbitrary<PutOptions>;

const compare: fc.Arbitrary<Compare> = fc
  .record({
    subject: fc.oneof(fc.record({ key }), fc.record({ range })),
    relation: fc.constantFrom<Relation>('equal', 'notEqual', 'less', 'greater'),
    operand: fc.oneof(
      fc.record({ kind: fc.constant('value' as const), value: value.map(bytes) }),
      fc.record({ kind: fc.constantFrom('version', 'leaseId' as const), value: fc.nat(3) }),
      fc.record({ kind: fc.constantFrom('createRevision', 'modRevision' as const), value: fc.nat(20) }),
      fc.record({ kind: fc.constant('exists' as const), value: fc.boolean() }),
    ),
  })
  .map(({ relation, ...rest }) => {
    const isOrder = relation === 'less' || relation === 'greater';
    return { ...rest, relation: rest.operand.kind === 'exists' && isOrder ? 'equal' : relation };
  });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ kind: fc.constant('get' as const), key }),
  fc.record(
    { kind: fc.constant('put' as const), key, value, ttlMs, leaseId, returnPrevious: fc.boolean() },
    { requiredKeys: ['kind', 'key', 'value'] },
  ),
  fc.record({ kind: fc.constant('delete' as const), key, returnPrevious: fc.boolean() }),
  fc.record({ kind: fc.constant('deleteRange' as const), range: deletedRange }),
  fc.record(
    { kind: fc.constant('increment' as const), key, delta, ttlMs },
    { requiredKeys: ['kind', 'key', 'delta'] },
  ),
);

const request = fc.record({
  compares: fc.array(compare, { maxLength: 2 }),
  success: fc.array(operation, { maxLength: 8 }),
  failure: fc.array(operation, { maxLength: 3 }),
});

const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ call: fc.constant('put' as const), key, value, options }) },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant('delete' as const),
      key,
      condition: fc.option(condition, { nil: undefined }),
      returnPrevious: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      call: fc.constant('deleteRange' as const),
      range: deletedRange,
      inParts: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ call: fc.constant('increment' as const), key, delta, ttlMs: optionalTtlMs }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant('touch' as const),
      key,
      ttlMs: fc.oneof(optionalTtlMs, fc.constant(0)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ call: fc.constantFrom('refresh', 'get' as const), key }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant('getAt' as const), key, part }) },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant('scan' as const),
      range,
      part,
      reverse: fc.boolean(),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ call: 'exists' } as const) },
  { weight: 4, arbitrary: fc.record({ call: fc.constant('txn' as const), request }) },
  {
    weight: 2,
    arbitrary: fc.record({
      call: fc.constant('grantLease' as const),
      leaseId,
      ttlMs: fc.constantFrom(1000, 1500, 4000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constantFrom('renewLease', 'revokeLease', 'getLease' as const),
      leaseId,
    }),
  },
  { weight: 1, arbitrary: fc.record({ call: fc.constant('compact' as const), part }) },
);

const passingMs = fc.constantFrom(1, 99, 100, 600, 1000, 3000);

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: call },
    { weight: 4, arbitrary: fc.record({ step: fc.constant('advance' as const), ms: passingMs }) },
    {
      weight: 2,
      arbitrary: fc.record({
        step: fc.constant('jump' as const),
        ms: passingMs,
        calls: fc.array(call, { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ step: 'snapshot' } as const) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant('reopen' as const), downMs: passingMs }) },
    {
      weight: 1,
      arbitrary: fc.record({
        step: fc.constant('crash' as const),
        how: fc.constantFrom('endProcess', 'losePower' as const),
      }),
    },
  ),
  { minLength: 5, maxLength: 80, size: 'max' },
);
