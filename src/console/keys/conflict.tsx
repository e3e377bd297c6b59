/** Both sides where a write met another one: what is there now, and what was to be written. */
import type { JSX } from 'preact';
import { formatCount } from '../bytes/text.ts';
import { DiffView } from './diff-view.tsx';
import { type Found, isPlain } from './entry.ts';
import { typeName } from './type-mark.tsx';
import { ValueView } from '../parts/value-view.tsx';

export function Conflict({ found, mine }: { readonly found: Found; readonly mine: Uint8Array }): JSX.Element {
  const { entry, revision } = found;
  return (
    <section class="conflict" aria-label="Conflict">
      <p class="failure" role="alert">
        <strong>Not written.</strong>{' '}
        {entry === undefined
          ? `The key was deleted meanwhile (seen at revision ${formatCount(revision)}).`
          : `The key was changed meanwhile, at revision ${formatCount(entry.modRevision)}.`}
      </p>
      {entry !== undefined && !isPlain(entry) && <p class="hint">It holds a {typeName(entry.type)} now.</p>}
      {entry !== undefined && isPlain(entry) && (
        <>
          <div class="sides">
            <section aria-label="Theirs">
              <h3>There now</h3>
              <ValueView value={entry.value} />
            </section>
            <section aria-label="Mine">
              <h3>Mine</h3>
              <ValueView value={mine} />
            </section>
          </div>
          <h3>From theirs to mine</h3>
          <DiffView before={entry.value} after={mine} />
        </>
      )}
    </section>
  );
}
