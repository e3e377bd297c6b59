/** A value as text, as JSON with line breaks, or as bytes. It is always text of the document, whatever it says, and never part of it. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { asJson, asText, formatBytes, hexDump } from '../bytes/text.ts';
import { limits } from '../page/limits.ts';

const FORMS = ['JSON', 'Text', 'Hex'] as const;
type Form = (typeof FORMS)[number];

/** The forms that a value has; those that it does not are `undefined`. */
function formsOf(value: Uint8Array): Readonly<Record<Form, string | undefined>> {
  const shown = value.subarray(0, limits.shownBytes);
  // The last character of what is cut may be cut, too.
  const text = value.length === shown.length ? asText(value) : new TextDecoder().decode(shown);
  const isCut = value.length > shown.length;
  return { JSON: text === undefined || isCut ? undefined : asJson(text), Text: text, Hex: hexDump(shown) };
}

export function ValueView({ value }: { readonly value: Uint8Array }): JSX.Element {
  const forms = useMemo(() => formsOf(value), [value]);
  const [wanted, setWanted] = useState<Form>();
  const usual =
    FORMS.find(
      (form) => forms[form] !== undefined && (form !== 'JSON' || /^\s*[{[]/.test(forms.Text ?? '')),
    ) ?? 'Hex';
  const form = wanted !== undefined && forms[wanted] !== undefined ? wanted : usual;
  if (value.length === 0) return <p class="hint">The value is empty.</p>;
  return (
    <>
      <fieldset class="choice forms">
        <legend class="unseen">Show as</legend>
        {FORMS.map((each) => (
          <label key={each} class={forms[each] === undefined ? 'off' : undefined}>
            <input
              type="radio"
              name="form"
              checked={each === form}
              disabled={forms[each] === undefined}
              onChange={() => setWanted(each)}
            />
            {each}
          </label>
        ))}
      </fieldset>
      {value.length > limits.shownBytes && (
        <p class="hint">
          The first {formatBytes(limits.shownBytes)} of {formatBytes(value.length)}.
        </p>
      )}
      <pre class="value" tabIndex={0} aria-label="Value">
        {forms[form]}
      </pre>
    </>
  );
}
