/** Makes a lease. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { parseSpanMs } from '../bytes/text.ts';
import { type Failure, failureOf } from '../calls/failure.ts';
import { FailureNote, Wrong } from '../parts/failure-note.tsx';
import { useFocus } from '../parts/focus.ts';
import { grantLease } from './lease.ts';

const TTL_MS_MIN = 1000;

interface GrantLeaseProps {
  readonly onDone: (id: bigint) => void;
  readonly onCancel: () => void;
}

export function GrantLease({ onDone, onCancel }: GrantLeaseProps): JSX.Element {
  const [span, setSpan] = useState('10m');
  const [wrong, setWrong] = useState<string>();
  const [failure, setFailure] = useState<Failure>();
  const spanRef = useFocus<HTMLInputElement>();

  async function grant(): Promise<void> {
    const ttlMs = parseSpanMs(span);
    setFailure(undefined);
    if (ttlMs === undefined || ttlMs < TTL_MS_MIN) {
      setWrong('The time to live is a time of a second or more, such as 90s, 1h30m or 7d.');
      return;
    }
    setWrong(undefined);
    try {
      onDone(await grantLease(ttlMs));
    } catch (error) {
      setFailure(failureOf(error));
    }
  }

  return (
    <form
      class="edit"
      aria-label="New lease"
      onSubmit={(event) => {
        event.preventDefault();
        void grant();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onCancel();
      }}
    >
      <h2>New lease</h2>
      <div class="field-line">
        <label class="field">
          Time to live
          <input
            ref={spanRef}
            name="span"
            placeholder="1h30m"
            size={12}
            value={span}
            onInput={(event) => setSpan(event.currentTarget.value)}
          />
        </label>
      </div>
      <p class="hint">It ends when it was not renewed for so long. This page does not renew it by itself.</p>
      <Wrong text={wrong} />
      <FailureNote failure={failure} />
      <p class="actions">
        <button type="submit" class="primary">
          Grant
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </p>
    </form>
  );
}
