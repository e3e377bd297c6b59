/** One lease: how long it lives, the keys that end with it, and what can be done with it. */
import { Code } from '@connectrpc/connect';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { idOf, labelOf } from '../bytes/key-name.ts';
import { formatCount, formatSpan } from '../bytes/text.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { leases } from '../calls/server.ts';
import { nowMs } from '../page/clock.ts';
import { addressOf, go } from '../page/route.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { Question } from '../parts/question.tsx';
import { ROW_PIXELS, VirtualList } from '../parts/virtual-list.tsx';
import { type LeaseWithKeys, readLease } from './lease.ts';

interface LeasePaneProps {
  readonly id: bigint;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

export function LeasePane({ id, onChanged, onClose }: LeasePaneProps): JSX.Element {
  const {
    value: found,
    failure,
    isLoading,
    reload,
  } = useLoaded(`lease ${id}`, (signal) => readLease(id, signal));
  const [isAsking, setAsking] = useState(false);
  const [refused, setRefused] = useState<Failure>();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const isGone = failure?.code === Code.NotFound;
  const finish = (): void => {
    reload();
    onChanged();
  };

  async function renew(): Promise<void> {
    setRefused(undefined);
    try {
      await leases.renew({ leaseId: id });
      finish();
    } catch (error) {
      setRefused(failureOf(error));
    }
  }

  return (
    <article class="entry lease" aria-busy={isLoading}>
      <header class="entry-head">
        <button type="button" class="quiet back" onClick={onClose}>
          <span aria-hidden="true">←</span> Leases
        </button>
        <h2 ref={heading} tabIndex={-1} class="key-title">
          {String(id)}
        </h2>
      </header>
      {isGone ? <p role="status">There is no such lease any more.</p> : <FailureNote failure={failure} />}
      {found !== undefined && !isGone && (
        <>
          <Facts found={found} />
          <FailureNote failure={refused} />
          <p class="actions">
            <button type="button" onClick={() => void renew()}>
              Renew
            </button>
            <button type="button" class="quiet" onClick={reload}>
              Read again
            </button>
            <button type="button" class="danger" onClick={() => setAsking(true)}>
              Revoke
            </button>
          </p>
          <Keys found={found} />
        </>
      )}
      {isAsking && (
        <Question
          title="Revoke this lease?"
          subject={String(id)}
          hint={
            found === undefined || found.lease.keyCount === 0n
              ? 'It ends at once.'
              : `It ends at once, and its ${found.lease.keyCount === 1n ? 'key is' : `${formatCount(found.lease.keyCount)} keys are`} deleted with it, which can not be undone here.`
          }
          yes="Revoke"
          act={() => leases.revoke({ leaseId: id })}
          onDone={() => {
            setAsking(false);
            finish();
          }}
          onCancel={() => setAsking(false)}
        />
      )}
    </article>
  );
}

function Facts({ found: { lease } }: { readonly found: LeaseWithKeys }): JSX.Element {
  const leftMs = lease.endMs - nowMs.value;
  return (
    <dl class="facts">
      <div>
        <dt>Left</dt>
        <dd>
          <time dateTime={new Date(lease.endMs).toISOString()}>
            {leftMs > 0 ? formatSpan(leftMs) : 'ended'}
          </time>
        </dd>
      </div>
      <div>
        <dt>Time to live</dt>
        <dd>{formatSpan(lease.ttlMs)}</dd>
      </div>
      <div>
        <dt>Keys</dt>
        <dd>{formatCount(lease.keyCount)}</dd>
      </div>
    </dl>
  );
}

/** Each leads to the page of keys. */
function Keys({ found: { keys } }: { readonly found: LeaseWithKeys }): JSX.Element {
  const [place, setPlace] = useState(-1);
  if (keys.length === 0) return <p class="hint">No key is attached to it.</p>;
  const open = (index: number): void => {
    const key = keys[index];
    if (key !== undefined) go(addressOf('keys', { key: idOf(key) }));
  };
  return (
    <div class="boxed-rows" style={{ height: `${keys.length * ROW_PIXELS + 2}px` }}>
      <VirtualList
        label="Keys of the lease"
        count={keys.length}
        current={Math.min(place, keys.length - 1)}
        onMove={setPlace}
        onOpen={open}
        rowAttributes={(index) => ({ role: 'option', 'aria-selected': false, onClick: () => open(index) })}
        renderRow={(index) => {
          const key = keys[index];
          return <span class="key-name linked">{key === undefined ? '' : labelOf(key)}</span>;
        }}
      />
    </div>
  );
}
