/** What is said where a key is read as plain bytes that holds a collection. */
import type { ValueType } from '../../../api.ts';
import { TaskError, exitCode } from '../../process/exit-code.ts';

const howToReadByType: Readonly<Partial<Record<ValueType, string>>> = {
  hash: 'kelp hash get',
  list: 'kelp list range',
  set: 'kelp set members',
  sortedSet: 'kelp zset range',
  bloomFilter: 'kelp sketch bloom-contains',
};

const nameByType: Readonly<Record<ValueType, string>> = {
  hash: 'a hash',
  list: 'a list',
  set: 'a set',
  sortedSet: 'a sorted set',
  stream: 'a stream',
  bloomFilter: 'a Bloom filter',
};

export function notPlain(typed: string, type: ValueType): TaskError {
  const command = howToReadByType[type];
  const how = command === undefined ? '' : `; ${command} reads it`;
  return new TaskError(
    `${typed} holds ${nameByType[type]}${how}`,
    exitCode.other,
    ['failed_precondition', 'WRONG_TYPE'],
    { type },
  );
}
