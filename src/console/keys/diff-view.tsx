/** What is different in two values, line by line: JSON as it is formatted, bytes as digits. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { diffLines } from '../bytes/diff.ts';
import { asJson, asText, hexDump } from '../bytes/text.ts';
import { limits } from '../page/limits.ts';

const SIGNS = { same: ' ', removed: '-', added: '+' } as const;

export function DiffView({
  before,
  after,
}: {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}): JSX.Element {
  const lines = useMemo(() => diffLines(...comparable(before, after)), [before, after]);
  if (lines.every(({ kind }) => kind === 'same')) return <p class="hint">The values are the same.</p>;
  return (
    <pre class="value diff" tabIndex={0} aria-label="Difference">
      {lines.map(({ kind, text }, index) => (
        <span key={index} class={kind}>
          {`${SIGNS[kind]} ${text}\n`}
        </span>
      ))}
    </pre>
  );
}

/** Both in one form. */
function comparable(before: Uint8Array, after: Uint8Array): [string, string] {
  const values = [before.subarray(0, limits.shownBytes), after.subarray(0, limits.shownBytes)] as const;
  const [one, other] = [asText(values[0]), asText(values[1])];
  if (one === undefined || other === undefined) return [hexDump(values[0]), hexDump(values[1])];
  const [oneJson, otherJson] = [asJson(one), asJson(other)];
  return oneJson === undefined || otherJson === undefined ? [one, other] : [oneJson, otherJson];
}
