/** Makes a key that is not there yet. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Key } from '../bytes/key-name.ts';
import { fromHex } from '../bytes/text.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { useFocus } from '../parts/focus.ts';
import { Conflict } from './conflict.tsx';
import { type Found, writeEntry } from './entry.ts';
import { ValueFields, draftOf, nothingTyped } from './value-fields.tsx';

interface CreateKeyProps {
  /** What the key begins with. */
  readonly start: string;
  readonly onDone: (key: Key) => void;
  readonly onCancel: () => void;
}

export function CreateKey({ start, onDone, onCancel }: CreateKeyProps): JSX.Element {
  const [name, setName] = useState(start);
  const [isHex, setHex] = useState(false);
  const [typed, setTyped] = useState(nothingTyped);
  const [conflict, setConflict] = useState<Found>();
  const [wrong, setWrong] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  const nameRef = useFocus<HTMLInputElement>();
  const key = isHex ? fromHex(name) : name;
  const draft = draftOf(typed, undefined, 0);

  async function create(): Promise<void> {
    setFailure(undefined);
    setConflict(undefined);
    if (key === undefined || key.length === 0) {
      setWrong(
        isHex ? 'The key is not in hexadecimal digits, two for each byte.' : 'A key has one byte at least.',
      );
      return;
    }
    setWrong(typeof draft === 'string' ? draft : undefined);
    if (typeof draft === 'string') return;
    try {
      const written = await writeEntry(key, draft, 0n);
      if (written.kind === 'written') onDone(key);
      else setConflict(written.found);
    } catch (error) {
      setFailure(failureOf(error));
    }
  }

  return (
    <form
      class="edit"
      aria-label="New key"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit();
        else if (event.key === 'Escape') onCancel();
      }}
    >
      <h2>New key</h2>
      {conflict !== undefined && typeof draft !== 'string' && (
        <Conflict found={conflict} mine={draft.value} />
      )}
      <label class="field">
        {isHex ? 'Key, in hexadecimal digits' : 'Key'}
        <input
          ref={nameRef}
          name="key"
          class="mono"
          autocomplete="off"
          spellcheck={false}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label class="check">
        <input type="checkbox" checked={isHex} onChange={(event) => setHex(event.currentTarget.checked)} />
        in hexadecimal digits
      </label>
      <ValueFields typed={typed} onTyped={setTyped} hasDeadline={false} />
      {wrong !== undefined && (
        <p class="failure" role="alert">
          {wrong}
        </p>
      )}
      <FailureNote failure={failure} />
      <p class="hint">It is written if there is no such key.</p>
      <p class="actions">
        <button type="submit" class="primary" aria-keyshortcuts="Control+Enter">
          Create
        </button>
        {conflict?.entry !== undefined && key !== undefined && (
          <button type="button" onClick={() => onDone(key)}>
            Go to what is there
          </button>
        )}
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </p>
    </form>
  );
}
