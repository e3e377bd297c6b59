/** The page of leases: which there are and how long they live, and the keys that end with the chosen one. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { formatCount, formatSpan } from '../bytes/text.ts';
import { answeredCount } from '../calls/server.ts';
import { nowMs } from '../page/clock.ts';
import { limits } from '../page/limits.ts';
import { change, route } from '../page/route.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { ForwardPages } from '../parts/forward-pages.ts';
import { VirtualList } from '../parts/virtual-list.tsx';
import { GrantLease } from './grant-lease.tsx';
import { LeasePane } from './lease-pane.tsx';
import { type Lease, readLeases } from './lease.ts';

/** So many rows before the end of what was read more is read. */
const ROWS_AHEAD = 100;

export function LeasesPage(): JSX.Element {
  const text = route.value.parameters.get('lease') ?? '';
  const chosen = /^\d{1,16}$/.test(text) ? BigInt(text) : undefined;
  const [isGranting, setGranting] = useState(false);
  const source = useMemo(() => new ForwardPages<Lease>(readLeases, limits.leasesMax), []);
  const returns = answeredCount.value;
  useEffect(() => void source.show(), [returns]);
  useEffect(() => () => source.close(), []);
  const choose = (id: bigint | undefined): void => {
    setGranting(false);
    change({ lease: id === undefined ? '' : String(id) });
  };
  return (
    <div class={isGranting || chosen !== undefined ? 'keys has-pane' : 'keys'}>
      <h1 class="unseen">Leases</h1>
      <section class="keys-side leases-side" aria-label="Which leases">
        <LeaseList source={source} chosen={chosen} onChoose={choose} />
        <FailureNote failure={source.failure.value} />
        <p class="list-status" role="status">
          {statusOf(source)}
        </p>
        <p class="keys-actions">
          <button type="button" onClick={() => setGranting(true)}>
            New lease
          </button>
          <button type="button" class="quiet" onClick={() => void source.show()}>
            Read again
          </button>
        </p>
      </section>
      <section class="keys-pane" aria-label="The chosen lease">
        {isGranting ? (
          <GrantLease
            onDone={(id) => {
              void source.show();
              choose(id);
            }}
            onCancel={() => setGranting(false)}
          />
        ) : chosen === undefined ? (
          <p class="nothing">
            A lease is a time to live that many keys share; they are deleted when it ends. Choose one to see
            its keys.
          </p>
        ) : (
          <LeasePane
            key={String(chosen)}
            id={chosen}
            onChanged={() => void source.show()}
            onClose={() => choose(undefined)}
          />
        )}
      </section>
    </div>
  );
}

interface LeaseListProps {
  readonly source: ForwardPages<Lease>;
  readonly chosen: bigint | undefined;
  readonly onChoose: (id: bigint) => void;
}

function LeaseList({ source, chosen, onChoose }: LeaseListProps): JSX.Element {
  const rows = source.rows.value;
  const shift = source.shift.value;
  const isReading = source.isReading.value;
  /** Counted from the first lease, so that it stays with its row. */
  const [place, setPlace] = useState(-1);
  const open = (index: number): void => {
    const row = rows[index];
    setPlace(index + shift);
    if (row !== undefined) onChoose(row.id);
  };
  return (
    <VirtualList
      label="Leases"
      count={rows.length}
      current={place < shift ? -1 : place - shift}
      shift={shift}
      reads={isReading}
      onMove={(index) => setPlace(index + shift)}
      onOpen={open}
      onKey={(key) => {
        if (key !== 'Home' || shift === 0) return false;
        void source.show().then(() => setPlace(0));
        return true;
      }}
      onView={(_, last) => {
        if (last >= rows.length - ROWS_AHEAD) void source.readAfter();
      }}
      rowAttributes={(index) => ({
        role: 'option',
        'aria-selected': chosen !== undefined && rows[index]?.id === chosen,
        onClick: () => open(index),
      })}
      renderRow={(index) => <Row lease={rows[index]} />}
    />
  );
}

function Row({ lease }: { readonly lease: Lease | undefined }): JSX.Element | null {
  if (lease === undefined) return null;
  const { id, endMs, keyCount } = lease;
  return (
    <>
      <span class="key-name">{String(id)}</span>
      <span class="count">{keyCount === 1n ? '1 key' : `${formatCount(keyCount)} keys`}</span>
      <span class="left">
        <TimeLeft endMs={endMs} />
      </span>
    </>
  );
}

/** Drawn by itself each second, and not the list around it. */
function TimeLeft({ endMs }: { readonly endMs: number }): JSX.Element {
  const leftMs = endMs - nowMs.value;
  return <>{leftMs > 0 ? formatSpan(leftMs) : 'ended'}</>;
}

function statusOf({ rows, shift, hasMore, isReading }: ForwardPages<Lease>): string {
  const count = rows.value.length + shift.value;
  if (count === 0) return isReading.value ? 'Reading' : 'No lease';
  const text = count === 1 ? '1 lease' : `${formatCount(count)} leases`;
  return hasMore.value ? `${text} and more` : text;
}
