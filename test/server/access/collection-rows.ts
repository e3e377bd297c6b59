/** Calls of the services of data types, and what each needs; see `rpc-rows.ts`. */
import type { DescMethod } from '@bufbuild/protobuf';
import { HashService } from '../../../gen/kelp/v1/hash_pb.ts';
import { ListService } from '../../../gen/kelp/v1/list_pb.ts';
import { SetOperation, SetService } from '../../../gen/kelp/v1/set_pb.ts';
import { SketchService } from '../../../gen/kelp/v1/sketch_pb.ts';
import { SortedSetService } from '../../../gen/kelp/v1/sorted_set_pb.ts';
import type { Fields } from './rpc-door.ts';
import { all, type Need, reads, writes } from './principals.ts';

export type CollectionRow = readonly [
  method: DescMethod,
  about: string,
  request: Fields,
  need: Need,
  ...orFails: string[],
];

const name = Buffer.from('n');
const fields = [{ name, value: name }];
const scored = [{ member: name, score: 1 }];
const operation = SetOperation.UNION;
const range = { bounds: { case: 'rank', value: { start: 0n } } } as const;

const both = (key: string): Need => all(writes(key), reads(key));

/** Of a granted key and of another one. */
function each(
  method: DescMethod,
  type: string,
  request: Fields,
  need: (key: string) => Need,
  ...orFails: string[]
): CollectionRow[] {
  return ['a', 'b'].map((part): CollectionRow => {
    const key = `${part}/${type}`;
    return [
      method,
      `of ${key}, ${Object.keys(request).join(' ')}`,
      { key, ...request },
      need(key),
      ...orFails,
    ];
  });
}

const hash = HashService.method;
const list = ListService.method;
const set = SetService.method;
const sorted = SortedSetService.method;
const sketch = SketchService.method;

export const collectionRows: readonly CollectionRow[] = [
  ...each(hash.set, 'hash', { fields }, writes),
  ...each(hash.set, 'hash', { fields, onlyIfAbsent: true }, both),
  ...each(hash.get, 'hash', { names: [name] }, reads),
  ...each(hash.get, 'hash', { names: [name], refreshTtl: true }, both),
  ...each(hash.scan, 'hash', {}, reads),
  ...each(hash.delete, 'hash', { names: [name] }, writes),
  ...each(hash.increment, 'numbers', { name, amount: { case: 'delta', value: 1n } }, both),
  ...each(list.push, 'list', { elements: [name] }, writes),
  ...each(list.push, 'list', { elements: [name], onlyIfExists: true }, both),
  ...each(list.pop, 'list', {}, both),
  ...each(list.range, 'list', {}, reads),
  ...each(list.set, 'list', { index: 0n, element: name }, writes, 'NotFound'),
  ...each(list.insert, 'list', { pivot: name, element: name }, both),
  ...each(list.remove, 'list', { element: name }, writes),
  ...each(list.trim, 'list', {}, writes),
  [
    list.move,
    'within the grant',
    { key: 'a/list', destination: 'a/list2' },
    all(both('a/list'), writes('a/list2')),
  ],
  [list.move, 'out of it', { key: 'a/list', destination: 'b/list2' }, all(both('a/list'), writes('b/list2'))],
  ...each(set.add, 'set', { members: [name] }, writes),
  ...each(set.remove, 'set', { members: [name] }, writes),
  ...each(set.contains, 'set', { members: [name] }, reads),
  ...each(set.scan, 'set', {}, reads),
  ...each(set.pop, 'set', {}, both),
  [set.combine, 'told', { keys: ['a/set', 'b/set'], operation }, reads('a/set', 'b/set')],
  [set.combine, 'told, of granted keys', { keys: ['a/set', 'a/set2'], operation }, reads('a/set', 'a/set2')],
  [
    set.combine,
    'stored',
    { keys: ['a/set'], operation, destination: 'b/stored' },
    all(reads('a/set'), writes('b/stored')),
  ],
  ...each(sorted.add, 'sorted', { members: scored }, writes),
  ...each(sorted.add, 'sorted', { members: scored, increment: true }, both),
  ...each(sorted.add, 'sorted', { members: scored, onlyIfExists: true }, both),
  ...each(sorted.remove, 'sorted', { members: [name] }, writes),
  ...each(sorted.score, 'sorted', { members: [name] }, reads),
  ...each(sorted.rank, 'sorted', { member: name }, reads),
  ...each(sorted.range, 'sorted', {}, reads),
  ...each(sorted.range, 'sorted', { range }, reads),
  ...each(sorted.range, 'sorted', { countOnly: true }, reads),
  ...each(sorted.removeRange, 'sorted', { range }, writes),
  ...each(sorted.pop, 'sorted', {}, both),
  [sorted.combine, 'told', { keys: ['a/sorted', 'b/sorted'], operation }, reads('a/sorted', 'b/sorted')],
  [
    sorted.combine,
    'stored',
    { keys: ['a/sorted'], operation, destination: 'a/stored2' },
    all(reads('a/sorted'), writes('a/stored2')),
  ],
  ...each(sketch.hllAdd, 'hll', { elements: [name] }, writes),
  [sketch.hllCount, 'of two', { keys: ['a/hll', 'b/hll'] }, reads('a/hll', 'b/hll')],
  [sketch.hllCount, 'of one', { keys: ['a/hll'] }, reads('a/hll')],
  [sketch.hllMerge, 'of two', { key: 'a/hll', sources: ['b/hll'] }, all(both('a/hll'), reads('b/hll'))],
  ...each(sketch.bloomCreate, 'bloom', {}, both, 'FailedPrecondition'),
  ...each(sketch.bloomAdd, 'bloom', { elements: [name] }, writes),
  ...each(sketch.bloomContains, 'bloom', { elements: [name] }, reads),
];
