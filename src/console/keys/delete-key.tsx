/** Asks before a key is deleted. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type Key, labelOf } from '../bytes/key-name.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useFocus } from '../parts/focus.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { type Entry, deleteEntry, isPlain } from './entry.ts';

interface DeleteKeyProps {
  readonly name: Key;
  readonly entry: Entry;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

export function DeleteKey({ name, entry, onDone, onCancel }: DeleteKeyProps): JSX.Element {
  const [failure, setFailure] = useState<Failure>();
  const [hasChanged, setChanged] = useState(false);
  const keepRef = useFocus<HTMLButtonElement>();
  async function remove(): Promise<void> {
    try {
      const written = await deleteEntry(name, entry.modRevision);
      if (written.kind === 'conflict') setChanged(true);
      else onDone();
    } catch (error) {
      setFailure(failureOf(error));
    }
  }
  return (
    <Dialog title="Delete this key?" onClose={onCancel}>
      <p class="key-title">{labelOf(name)}</p>
      {hasChanged ? (
        <p class="failure" role="alert">
          It has changed since you saw it, and was not deleted. Look at it again first.
        </p>
      ) : (
        <p class="hint">
          {isPlain(entry)
            ? 'It can be undone here, as long as history keeps what it was.'
            : 'All its elements go with it, which can not be undone here.'}
        </p>
      )}
      <FailureNote failure={failure} />
      <p class="actions">
        {hasChanged ? (
          <button type="button" class="primary" onClick={onDone}>
            Read again
          </button>
        ) : (
          <button type="button" class="danger" onClick={() => void remove()}>
            Delete
          </button>
        )}
        <button ref={keepRef} type="button" onClick={onCancel}>
          Keep it
        </button>
      </p>
    </Dialog>
  );
}
