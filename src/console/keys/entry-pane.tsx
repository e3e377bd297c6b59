/** One key: what it holds, its fields, its history, and what can be done with it. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Key, idOf, labelOf } from '../bytes/key-name.ts';
import { formatBytes, formatCount, formatSpan } from '../bytes/text.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { nowMs } from '../page/clock.ts';
import { limits } from '../page/limits.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { Conflict } from './conflict.tsx';
import { DeleteKey } from './delete-key.tsx';
import { draftLeft } from './drafts.ts';
import { EditForm } from './edit-form.tsx';
import { ElementView } from './element-view.tsx';
import {
  type Entry,
  type Found,
  deadlineMs,
  deletions,
  isPlain,
  readDeletion,
  readEntry,
  undoDeletion,
} from './entry.ts';
import { HistoryView } from './history-view.tsx';
import { typeName } from './type-mark.tsx';
import { ValueView } from '../parts/value-view.tsx';

type Tab = 'value' | 'history';

/** What is being done with the key as it was when it began: what is read again meanwhile is not what was seen. */
interface Work {
  readonly kind: 'edit' | 'delete';
  readonly entry: Entry;
}

interface EntryPaneProps {
  readonly name: Key;
  readonly onClose: () => void;
  /** The key is no more, or is there again. */
  readonly onPresence: () => void;
}

export function EntryPane({ name, onClose, onPresence }: EntryPaneProps): JSX.Element {
  const {
    value: found,
    failure,
    isLoading,
    reload,
  } = useLoaded(idOf(name), (signal) => readEntry(name, signal));
  const [tab, setTab] = useState<Tab>('value');
  const [work, setWork] = useState<Work>();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  const entry = found?.entry;
  const isThere = found === undefined ? undefined : entry !== undefined;
  const wasThere = useRef(isThere);
  useEffect(() => {
    if (wasThere.current !== undefined && wasThere.current !== isThere) onPresence();
    wasThere.current = isThere;
  }, [isThere]);
  const leave = (): void => {
    setWork(undefined);
    heading.current?.focus({ preventScroll: true });
  };
  const finish = (): void => {
    leave();
    reload();
  };
  return (
    <article class="entry" aria-busy={isLoading}>
      <header class="entry-head">
        <button type="button" class="quiet back" onClick={onClose}>
          <span aria-hidden="true">←</span> Keys
        </button>
        <h2 ref={heading} tabIndex={-1} class="key-title">
          {labelOf(name)}
        </h2>
      </header>
      <FailureNote failure={failure} />
      {found !== undefined && entry === undefined && work === undefined && (
        <Absent key={String(found.revision)} name={name} revision={found.revision} onReload={reload} />
      )}
      {work?.kind === 'edit' && <EditForm name={name} entry={work.entry} onDone={finish} onCancel={leave} />}
      {entry !== undefined && work?.kind !== 'edit' && (
        <>
          <Facts entry={entry} />
          <div class="tabs-line">
            <Tabs tab={tab} onTab={setTab} />
            <span class="grow" />
            <button type="button" class="quiet" onClick={reload}>
              Read again
            </button>
            {isPlain(entry) && (
              <button
                type="button"
                disabled={entry.value.length > limits.editedBytes}
                title={entry.value.length > limits.editedBytes ? 'Too long to be edited here' : undefined}
                onClick={() => setWork({ kind: 'edit', entry: draftLeft(name)?.entry ?? entry })}
              >
                Edit
              </button>
            )}
            <button type="button" class="danger" onClick={() => setWork({ kind: 'delete', entry })}>
              Delete
            </button>
          </div>
          <div role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`} class="panel">
            {tab === 'history' ? (
              <HistoryView key={String(entry.modRevision)} name={name} newest={entry} />
            ) : isPlain(entry) ? (
              <ValueView value={entry.value} />
            ) : (
              <ElementView key={String(entry.modRevision)} name={name} entry={entry} onChanged={reload} />
            )}
          </div>
        </>
      )}
      {work?.kind === 'delete' && (
        <DeleteKey name={name} entry={work.entry} onDone={finish} onCancel={leave} />
      )}
    </article>
  );
}

const tabNames: Readonly<Record<Tab, string>> = { value: 'Value', history: 'History' };

function Tabs({ tab, onTab }: { readonly tab: Tab; readonly onTab: (tab: Tab) => void }): JSX.Element {
  const names = Object.keys(tabNames) as Tab[];
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const next = names[(names.indexOf(tab) + 1) % names.length] ?? tab;
    onTab(next);
    document.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  }
  return (
    <div role="tablist" aria-label="What is shown" class="tabs" onKeyDown={onKeyDown}>
      {names.map((each) => (
        <button
          key={each}
          type="button"
          role="tab"
          id={`tab-${each}`}
          aria-selected={each === tab}
          aria-controls={each === tab ? `panel-${each}` : undefined}
          tabIndex={each === tab ? 0 : -1}
          onClick={() => onTab(each)}
        >
          {tabNames[each]}
        </button>
      ))}
    </div>
  );
}

export function Facts({ entry }: { readonly entry: Entry }): JSX.Element {
  return (
    <dl class="facts">
      <Fact name="Type">{typeName(entry.type)}</Fact>
      {isPlain(entry) && <Fact name="Size">{formatBytes(entry.value.length)}</Fact>}
      <Fact name="Revision">{formatCount(entry.modRevision)}</Fact>
      <Fact name="Created at">{formatCount(entry.createRevision)}</Fact>
      <Fact name="Version">{formatCount(entry.version)}</Fact>
      <Fact name="Lease">{entry.leaseId === 0n ? 'none' : String(entry.leaseId)}</Fact>
      <Fact name="Time to live">
        <TimeLeft entry={entry} />
      </Fact>
    </dl>
  );
}

function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function TimeLeft({ entry }: { readonly entry: Entry }): JSX.Element {
  const deadline = deadlineMs(entry);
  if (deadline === undefined) return <>none</>;
  const leftMs = deadline - nowMs.value;
  const at = new Date(deadline);
  return (
    <time dateTime={at.toISOString()} title={at.toLocaleString()}>
      {leftMs > 0 ? formatSpan(leftMs) : 'ended'}
    </time>
  );
}

interface AbsentProps {
  readonly name: Key;
  readonly revision: bigint;
  readonly onReload: () => void;
}

function Absent({ name, revision, onReload }: AbsentProps): JSX.Element {
  const [failure, setFailure] = useState<Failure>();
  const [conflict, setConflict] = useState<{ readonly found: Found; readonly mine: Uint8Array }>();
  const deletedAt = deletions.value.get(idOf(name));
  const deletion = useLoaded(`${idOf(name)} ${deletedAt} ${revision}`, (signal) =>
    deletedAt === undefined ? Promise.resolve(undefined) : readDeletion(name, deletedAt, signal),
  );
  const before = deletion.value?.kind === 'last' ? deletion.value.before : undefined;
  async function undo(at: bigint, mine: Uint8Array): Promise<void> {
    try {
      const written = await undoDeletion(name, at, nowMs.peek());
      if (written.kind === 'written') onReload();
      else setConflict({ found: written.found, mine });
    } catch (error) {
      setFailure(failureOf(error));
    }
  }
  return (
    <div class="nothing">
      {conflict !== undefined ? (
        <Conflict {...conflict} />
      ) : (
        <p role="status">
          {deletedAt !== undefined && before !== undefined
            ? `Deleted at revision ${formatCount(deletedAt)}.`
            : `There is no such key at revision ${formatCount(revision)}.`}
          {deletedAt !== undefined &&
            deletion.value?.kind === 'changed' &&
            ` It was changed after you deleted it at revision ${formatCount(deletedAt)}, which can not be undone any more.`}
          {deletion.failure !== undefined &&
            ' Whether it was changed after you deleted it can not be read, so that can not be undone.'}
        </p>
      )}
      <FailureNote failure={failure ?? deletion.failure} />
      <p class="actions">
        {deletedAt !== undefined && before !== undefined && isPlain(before) && conflict === undefined && (
          <button type="button" class="primary" onClick={() => void undo(deletedAt, before.value)}>
            Undo
          </button>
        )}
        <button type="button" onClick={onReload}>
          Read again
        </button>
      </p>
    </div>
  );
}
