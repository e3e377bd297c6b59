/** A form in a dialog, with a button that does what it is for and one that leaves it. */
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { useAct } from '../parts/act.ts';
import { Dialog } from '../parts/dialog.tsx';
import { FailureNote, Wrong } from '../parts/failure-note.tsx';

interface FormDialogProps {
  readonly title: string;
  /** What the button says. */
  readonly yes: string;
  /** @returns what is wrong with what was typed; then nothing is done. */
  readonly check?: () => string | undefined;
  readonly act: () => Promise<unknown>;
  readonly onDone: () => void;
  readonly onCancel: () => void;
  readonly children: ComponentChildren;
}

export function FormDialog({
  title,
  yes,
  check,
  act,
  onDone,
  onCancel,
  children,
}: FormDialogProps): JSX.Element {
  const { failure, isBusy, run } = useAct();
  const [wrong, setWrong] = useState<string>();
  return (
    <Dialog title={title} onClose={onCancel}>
      <form
        class="dialog-form"
        aria-label={title}
        onSubmit={(event) => {
          event.preventDefault();
          const found = check?.();
          setWrong(found);
          if (found === undefined) run(act, onDone);
        }}
      >
        {children}
        <Wrong text={wrong} />
        <FailureNote failure={failure} />
        <p class="actions">
          <button type="submit" class="primary" disabled={isBusy}>
            {yes}
          </button>
          <button type="button" onClick={onCancel}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}
