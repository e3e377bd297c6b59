/** Keys one below the other, as many as there are. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type Key, isSameKey, labelOf, prefixRange } from '../bytes/key-name.ts';
import { formatCount } from '../bytes/text.ts';
import { answeredCount } from '../calls/server.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { VirtualList } from '../parts/virtual-list.tsx';
import type { KeySource } from './key-source.ts';
import { MatchingKeys } from './matching-keys.ts';
import { RangedKeys } from './ranged-keys.ts';
import { countKeys, matchesOf, readKeys } from './read-keys.ts';
import { TypeMark } from './type-mark.tsx';

/** So many rows before the end of what was read more is read. */
const ROWS_AHEAD = 100;

interface KeyListProps {
  readonly by: 'prefix' | 'glob';
  readonly text: string;
  readonly chosen: Key | undefined;
  readonly onChoose: (key: Key) => void;
}

export function KeyList({ by, text, chosen, onChoose }: KeyListProps): JSX.Element {
  const isGlob = by === 'glob' && text !== '';
  const source = useMemo<KeySource>(
    () =>
      isGlob
        ? new MatchingKeys(matchesOf(text))
        : new RangedKeys(prefixRange(by === 'glob' ? '' : text), readKeys),
    [isGlob, text],
  );
  const returns = answeredCount.value;
  useEffect(() => {
    void source.show('first');
  }, [source]);
  useEffect(() => {
    if (source.failure.peek() !== undefined) void source.show('first');
  }, [returns]);
  useEffect(() => () => source.close(), [source]);
  const count = useLoaded(`count ${by} ${text}`, (signal) =>
    isGlob ? Promise.resolve(undefined) : countKeys(prefixRange(by === 'glob' ? '' : text), signal),
  );
  const rows = source.rows.value;
  const shift = source.shift.value;
  /** Counted from the first row that there ever was, so that it stays with its key. */
  const [place, setPlace] = useState(-1);
  const current = place < 0 ? -1 : place - shift;

  function onView(first: number, last: number): void {
    if (last >= rows.length - ROWS_AHEAD) void source.readAfter();
    if (first < ROWS_AHEAD) void source.readBefore();
  }

  function onKey(key: string): boolean {
    if (key === 'Home') void source.show('first').then(() => setPlace(0));
    else if (key === 'End')
      void source.show('last').then(() => setPlace(source.shift.peek() + source.rows.peek().length - 1));
    else return false;
    return true;
  }

  return (
    <>
      <VirtualList
        label="Keys"
        count={rows.length}
        current={current}
        shift={shift}
        reads={source.isReading.value}
        onMove={(index) => setPlace(index + shift)}
        onOpen={(index) => {
          const row = rows[index];
          if (row !== undefined) onChoose(row.key);
        }}
        onKey={onKey}
        onView={onView}
        rowAttributes={(index) => ({
          role: 'option',
          'aria-selected':
            chosen !== undefined && rows[index] !== undefined && isSameKey(rows[index].key, chosen),
          onClick: () => {
            setPlace(index + shift);
            const row = rows[index];
            if (row !== undefined) onChoose(row.key);
          },
        })}
        renderRow={(index) => {
          const row = rows[index];
          return (
            <>
              <span class="key-name">{row === undefined ? '' : labelOf(row.key)}</span>
              <TypeMark type={row?.type} />
            </>
          );
        }}
      />
      <FailureNote failure={source.failure.value} />
      <p class="list-status" role="status">
        {statusOf(source, count.value)}
      </p>
    </>
  );
}

function statusOf({ rows, hasMore, isReading }: KeySource, count: bigint | undefined): string {
  if (count !== undefined) return count === 1n ? '1 key' : `${formatCount(count)} keys`;
  const shown = formatCount(rows.value.length);
  if (rows.value.length === 0) return isReading.value ? 'Reading' : 'No key';
  return hasMore.value ? `${shown} keys and more` : `${shown} keys`;
}
