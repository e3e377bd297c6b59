/** Asks before something is done that can't be undone. The focus is on the answer that does nothing. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type Failure, failureOf } from '../calls/failure.ts';
import { Dialog } from './dialog.tsx';
import { FailureNote } from './failure-note.tsx';
import { useFocus } from './focus.ts';

interface QuestionProps {
  readonly title: string;
  /** What it is about. */
  readonly subject: string;
  readonly hint: string;
  /** What the button says that does it. */
  readonly yes: string;
  /** What the other one says; `Keep it` if it is left out. */
  readonly no?: string;
  readonly act: () => Promise<unknown>;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

export function Question({
  title,
  subject,
  hint,
  yes,
  no = 'Keep it',
  act,
  onDone,
  onCancel,
}: QuestionProps): JSX.Element {
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setBusy] = useState(false);
  const keepRef = useFocus<HTMLButtonElement>();
  async function doIt(): Promise<void> {
    setBusy(true);
    try {
      await act();
    } catch (error) {
      setFailure(failureOf(error));
      setBusy(false);
      return;
    }
    onDone();
  }
  return (
    <Dialog title={title} onClose={onCancel}>
      <p class="key-title">{subject}</p>
      <p class="hint">{hint}</p>
      <FailureNote failure={failure} />
      <p class="actions">
        <button type="button" class="danger" disabled={isBusy} onClick={() => void doIt()}>
          {yes}
        </button>
        <button ref={keepRef} type="button" onClick={onCancel}>
          {no}
        </button>
      </p>
    </Dialog>
  );
}
