/** A key's value as Redis would give it to DUMP (`format.ts`), so that Redis can take it over, or another store. */
import type { Version } from '../../engine/version.ts';
import { StoreError } from '../../errors.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { ReadView } from '../../store/views/view.ts';
import { kinds } from '../../store/collections/kinds.ts';
import { countElements, elementRange, type TableType, visitElements } from '../collections/element-table.ts';
import { isTimed } from '../collections/timed-table.ts';
import { hashType } from '../hash/hash.ts';
import { List } from '../list/list.ts';
import { visitElements as visitListElements } from '../list/read.ts';
import { setType } from '../set/set.ts';
import { scoreOfElement, sortedSetType } from '../sorted-set/scored-table.ts';
import { valueTypes } from './format.ts';
import { ListNodes } from './list-nodes.ts';
import { writeStream } from './stream-dump.ts';
import { ValueWriter } from './value-writer.ts';

/**
 * `undefined`: there is no such key. Throws `limitReached`, `wrongType` for what Redis has no form for, and `invalidArgument` for a hash
 * with a field that has a time to live, for which Redis 7.0 has none.
 */
export function dump(view: ReadView, key: Uint8Array): Uint8Array | undefined {
  const version = view.read(key);
  if (version === undefined) return undefined;
  const writer = new ValueWriter();
  switch (version.kind) {
    case kinds.plain:
      writer.byte(valueTypes.string);
      writer.string(version.value);
      break;
    case kinds.hash:
      writeTable(view, version, hashType, writer, valueTypes.hash, (value) => writer.string(value));
      break;
    case kinds.set:
      writeTable(view, version, setType, writer, valueTypes.set, () => undefined);
      break;
    case kinds.sortedSet:
      writeTable(view, version, sortedSetType, writer, valueTypes.sortedSet, (value) =>
        writer.double(scoreOfElement(value)),
      );
      break;
    case kinds.list:
      writeList(view, new List(version), writer);
      break;
    case kinds.stream:
      writeStream(view, version, writer);
      break;
    default:
      throw new StoreError('wrongType', 'the key holds what Redis has no form of its own for');
  }
  return writer.finish();
}

function writeTable(
  view: ReadView,
  version: Version,
  type: TableType,
  writer: ValueWriter,
  valueType: number,
  writeValue: (value: Uint8Array) => void,
): void {
  writer.byte(valueType);
  writer.length(isTimed(version) ? countUntimed(view, version, type) : countElements(version, type));
  const next = visitElements(view, version, type, undefined, (name, value) => {
    writer.string(name);
    writeValue(value);
    return true;
  });
  if (next !== undefined) throw budgetSpent(view.budget);
}

/** How many elements of a timed table there are to be shown. */
function countUntimed(view: ReadView, version: Version, type: TableType): number {
  let count = 0;
  let hasTimes = false;
  const next = view.scan(elementRange(version, type), false, ({ expireTimeMs }) => {
    count++;
    hasTimes = expireTimeMs !== 0;
    return !hasTimes;
  });
  if (hasTimes) {
    throw new StoreError(
      'invalidArgument',
      'a field of the hash has a time to live, which the form of Redis 7.0 has no place for; HPERSIST takes it away',
    );
  }
  if (next !== undefined) throw budgetSpent(view.budget);
  return count;
}

function writeList(view: ReadView, list: List, writer: ValueWriter): void {
  const nodes = new ListNodes();
  const end = visitListElements(view, list, 0, list.count, (element) => {
    nodes.add(element);
    return true;
  });
  if (end !== list.count) throw budgetSpent(view.budget);
  writer.byte(valueTypes.listOfNodes);
  nodes.writeTo(writer);
}
