/** Keys as folders that open and close. */
import type { HTMLAttributes, JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type Key, isSameKey, labelOf } from '../bytes/key-name.ts';
import { formatCount } from '../bytes/text.ts';
import { answeredCount } from '../calls/server.ts';
import { limits } from '../page/limits.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { VirtualList } from '../parts/virtual-list.tsx';
import { type Folder, KeyTree, type TreeRow } from './key-tree.ts';
import { countKeys, scanKeys } from './read-keys.ts';
import { TypeMark } from './type-mark.tsx';

interface KeyTreeViewProps {
  readonly prefix: string;
  readonly separator: string;
  readonly chosen: Key | undefined;
  readonly onChoose: (key: Key) => void;
}

export function KeyTreeView({ prefix, separator, chosen, onChoose }: KeyTreeViewProps): JSX.Element {
  const returns = answeredCount.value;
  const tree = useMemo(
    () =>
      new KeyTree(prefix, separator, {
        scan: (range, limit, signal) => scanKeys(range, { limit, signal }),
        count: countKeys,
      }),
    [prefix, separator],
  );
  useEffect(() => {
    if (tree.root.failure !== undefined) void tree.readMore(tree.root);
  }, [returns]);
  useEffect(() => {
    void tree.open(tree.root);
    tree.countIn([tree.root]);
    return () => tree.stop();
  }, [tree]);
  const rows = tree.rows.value;
  const [current, setCurrent] = useState(-1);

  function toggle(folder: Folder): void {
    if (folder.isOpen) tree.close(folder);
    else void tree.open(folder);
  }

  function open(index: number): void {
    const row = rows[index];
    if (row?.kind === 'folder') toggle(row);
    else if (row?.kind === 'key') onChoose(row.key);
    else if (row !== undefined) void tree.readMore(row.parent);
  }

  function onKey(key: string): boolean {
    const row = rows[current];
    if (row === undefined) return false;
    if (key === 'ArrowRight' && row.kind === 'folder') {
      if (row.isOpen) setCurrent(Math.min(rows.length - 1, current + 1));
      else void tree.open(row);
    } else if (key === 'ArrowLeft') {
      if (row.kind === 'folder' && row.isOpen) tree.close(row);
      else if (row.parent !== undefined && row.parent !== tree.root) setCurrent(rows.indexOf(row.parent));
    } else if (key === ' ') open(current);
    else return false;
    return true;
  }

  function onView(first: number, last: number): void {
    const seen = rows.slice(first, last + 1);
    tree.countIn(seen.filter((row) => row.kind === 'folder'));
    // Further children are read when their place is seen; those of a folder that failed, when they are asked for.
    for (const row of seen)
      if (row.kind === 'more' && row.parent.failure === undefined) void tree.readMore(row.parent);
  }

  const { count, failure } = tree.root;
  return (
    <>
      <VirtualList
        label="Keys"
        role="tree"
        count={rows.length}
        current={current}
        onMove={setCurrent}
        onOpen={open}
        onKey={onKey}
        onView={onView}
        rowAttributes={(index) =>
          attributesOf(rows[index], chosen, () => {
            setCurrent(index);
            open(index);
          })
        }
        renderRow={(index) => <Row row={rows[index]} />}
      />
      <FailureNote failure={failure} />
      <p class="list-status" role="status">
        {count === undefined ? '' : count === 1n ? '1 key' : `${formatCount(count)} keys`}
        {rows.length >= limits.treeRows && '; close folders to see more rows'}
      </p>
    </>
  );
}

function attributesOf(
  row: TreeRow | undefined,
  chosen: Key | undefined,
  onClick: () => void,
): HTMLAttributes<HTMLDivElement> {
  return {
    role: 'treeitem',
    'aria-level': (row?.depth ?? 0) + 1,
    'aria-expanded': row?.kind === 'folder' ? row.isOpen : undefined,
    'aria-selected': row?.kind === 'key' && chosen !== undefined && isSameKey(row.key, chosen),
    onClick,
  };
}

function Row({ row }: { readonly row: TreeRow | undefined }): JSX.Element | null {
  if (row === undefined) return null;
  const indent = { paddingInlineStart: `${row.depth * 18}px` };
  if (row.kind === 'folder') {
    return (
      <span class="key-name" style={indent}>
        <span class={row.isOpen ? 'fold open' : 'fold'} aria-hidden="true" />
        {labelOf(row.label)}
        {row.count !== undefined && <span class="count"> {formatCount(row.count)}</span>}
      </span>
    );
  }
  if (row.kind === 'more') {
    const { failure, isReading } = row.parent;
    return (
      <span class="key-name hint" style={indent}>
        <span class="fold none" aria-hidden="true" />
        {failure !== undefined ? `${failure.message}; try again` : isReading ? 'Reading' : 'More'}
      </span>
    );
  }
  return (
    <>
      <span class="key-name" style={indent}>
        <span class="fold none" aria-hidden="true" />
        {labelOf(row.label)}
      </span>
      <TypeMark type={row.type} />
    </>
  );
}
