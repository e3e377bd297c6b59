/** The fields by which people give a value and how long it is to live. */
import type { JSX, RefObject } from 'preact';
import { asJson, asText, fromHex, parseSpanMs, toHex } from '../bytes/text.ts';
import { type Draft, type Entry, deadlineMs } from './entry.ts';

/** What stands in the fields. */
export interface Typed {
  readonly form: 'text' | 'hex';
  readonly text: string;
  /** What is written at the end of each line of a text: a field for text has line feeds alone, whatever it was given. */
  readonly lineEnd: '\n' | '\r\n';
  /** How long it lives: as before, without an end, or for a time from now on. */
  readonly life: 'kept' | 'endless' | 'span';
  readonly span: string;
}

export const nothingTyped: Typed = { form: 'text', text: '', lineEnd: '\n', life: 'endless', span: '' };

export function typedOf(entry: Entry): Typed {
  const text = asText(entry.value);
  const lineEnd = text === undefined ? undefined : lineEndOf(text);
  return {
    form: lineEnd === undefined ? 'hex' : 'text',
    text: text === undefined || lineEnd === undefined ? toHex(entry.value) : text.replaceAll('\r\n', '\n'),
    lineEnd: lineEnd ?? '\n',
    life: entry.expireTime === undefined ? 'endless' : 'kept',
    span: '',
  };
}

/** @returns `undefined`: they are of several kinds, or a lone carriage return is among them, which a field for text would not keep. */
function lineEndOf(text: string): Typed['lineEnd'] | undefined {
  const others = text.replaceAll('\r\n', '');
  if (others.includes('\r')) return undefined;
  if (others.length === text.length) return '\n';
  return others.includes('\n') ? undefined : '\r\n';
}

/** @returns what to write, or what is wrong with it. */
export function draftOf(typed: Typed, entry: Entry | undefined, nowMs: number): Draft | string {
  const value =
    typed.form === 'text'
      ? new TextEncoder().encode(typed.text.replaceAll('\n', typed.lineEnd))
      : fromHex(typed.text);
  if (value === undefined) return 'The value is not in hexadecimal digits, two for each byte.';
  const leaseId = entry?.leaseId ?? 0n;
  if (typed.life === 'endless') return { value, ttlMs: undefined, leaseId };
  if (typed.life === 'span') {
    const ttlMs = parseSpanMs(typed.span);
    if (ttlMs === undefined || ttlMs === 0) return 'The time to live is a time such as 90s, 1h30m or 7d.';
    return { value, ttlMs, leaseId };
  }
  const deadline = entry && deadlineMs(entry);
  const leftMs = deadline === undefined ? undefined : Math.ceil(deadline - nowMs);
  if (leftMs !== undefined && leftMs <= 0) return 'Its time to live has ended; choose another one.';
  return { value, ttlMs: leftMs, leaseId };
}

interface ValueFieldsProps {
  readonly typed: Typed;
  readonly onTyped: (typed: Typed) => void;
  /** Whether there is a deadline that can be kept. */
  readonly hasDeadline: boolean;
  /** Of the field of the value. */
  readonly valueRef?: RefObject<HTMLTextAreaElement | null>;
}

export function ValueFields({ typed, onTyped, hasDeadline, valueRef }: ValueFieldsProps): JSX.Element {
  const json = typed.form === 'text' && /^\s*[{[]/.test(typed.text) ? asJson(typed.text) : undefined;
  return (
    <>
      <label class="field">
        {typed.form === 'text' ? 'Value' : 'Value, in hexadecimal digits'}
        <textarea
          {...(valueRef && { ref: valueRef })}
          name="value"
          rows={12}
          spellcheck={false}
          value={typed.text}
          onInput={(event) => onTyped({ ...typed, text: event.currentTarget.value })}
        />
      </label>
      <p class="field-line">
        {json !== undefined && json !== typed.text && (
          <button type="button" class="quiet" onClick={() => onTyped({ ...typed, text: json })}>
            Format the JSON
          </button>
        )}
        {typed.lineEnd === '\r\n' && <span class="hint">Its lines end with CR LF, and are written so.</span>}
        {typed.form === 'text' && /^\s*[{[]/.test(typed.text) && json === undefined && (
          <span class="hint">This is no JSON; it is written as it stands.</span>
        )}
      </p>
      <div class="field-line">
        <label class="field">
          Time to live
          <select
            name="life"
            value={typed.life}
            onChange={(event) => onTyped({ ...typed, life: event.currentTarget.value as Typed['life'] })}
          >
            {hasDeadline && <option value="kept">what is left of it</option>}
            <option value="endless">none, until it is deleted</option>
            <option value="span">from now on</option>
          </select>
        </label>
        {typed.life === 'span' && (
          <label class="field">
            For
            <input
              name="span"
              placeholder="1h30m"
              size={10}
              value={typed.span}
              onInput={(event) => onTyped({ ...typed, span: event.currentTarget.value })}
            />
          </label>
        )}
      </div>
    </>
  );
}
