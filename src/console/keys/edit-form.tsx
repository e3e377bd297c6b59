/**
 * Changes the value of a key, on the condition that nothing else has since it was read. Else both sides are shown, and who edits decides:
 * what is written then has the other side's revision as its condition.
 */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type Key } from '../bytes/key-name.ts';
import { formatCount } from '../bytes/text.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { nowMs } from '../page/clock.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { useFocus } from '../parts/focus.ts';
import { Conflict } from './conflict.tsx';
import { draftLeft, dropDraft, keepDraft } from './drafts.ts';
import { type Entry, type Found, writeEntry } from './entry.ts';
import { ValueFields, draftOf, typedOf } from './value-fields.tsx';

interface EditFormProps {
  readonly name: Key;
  readonly entry: Entry;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

export function EditForm({ name, entry, onDone, onCancel }: EditFormProps): JSX.Element {
  const [typed, setTyped] = useState(() => draftLeft(name)?.typed ?? typedOf(entry));
  const [conflict, setConflict] = useState<Found>();
  const [wrong, setWrong] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setBusy] = useState(false);
  const valueRef = useFocus<HTMLTextAreaElement>();
  const draft = draftOf(typed, entry, nowMs.peek());

  async function write(since: bigint): Promise<void> {
    const draft = draftOf(typed, entry, Date.now());
    setWrong(typeof draft === 'string' ? draft : undefined);
    setFailure(undefined);
    if (typeof draft === 'string') return;
    setBusy(true);
    try {
      const written = await writeEntry(name, draft, since);
      if (written.kind === 'written') leaveBy(onDone);
      else setConflict(written.found);
    } catch (error) {
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  }

  function leaveBy(leave: () => void): void {
    dropDraft(name);
    leave();
  }

  return (
    <form
      class="edit"
      aria-label="Edit"
      onSubmit={(event) => {
        event.preventDefault();
        void write(conflict === undefined ? entry.modRevision : (conflict.entry?.modRevision ?? 0n));
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
        else if (event.key === 'Escape') onCancel();
      }}
    >
      {conflict !== undefined && typeof draft !== 'string' && (
        <Conflict found={conflict} mine={draft.value} />
      )}
      <ValueFields
        typed={typed}
        onTyped={(typed) => {
          setTyped(typed);
          keepDraft(name, { entry, typed });
        }}
        hasDeadline={entry.expireTime !== undefined}
        valueRef={valueRef}
      />
      {wrong !== undefined && (
        <p class="failure" role="alert">
          {wrong}
        </p>
      )}
      <FailureNote failure={failure} />
      <p class="hint">
        {conflict === undefined
          ? `It is written if the key is still at revision ${formatCount(entry.modRevision)}.`
          : 'It is written if the key is still as it is shown above.'}
      </p>
      <p class="actions">
        <button type="submit" class="primary" disabled={isBusy} aria-keyshortcuts="Control+Enter">
          {conflict === undefined ? 'Save' : 'Write mine over it'}
        </button>
        <button type="button" onClick={() => leaveBy(conflict === undefined ? onCancel : onDone)}>
          {conflict === undefined ? 'Cancel' : 'Leave it as it is'}
        </button>
      </p>
    </form>
  );
}
