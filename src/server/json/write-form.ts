/** Writes a form (`api-json.ts`) as JSON whose long values are made text as they are sent. */
import { JsonValueOf } from '../../api-json.ts';
import type { JsonText } from './json-text.ts';

/** As `JSON.stringify` would: what is `undefined` is left out. */
export function writeForm(form: unknown, out: JsonText): void {
  if (typeof form !== 'object' || form === null) return out.text(JSON.stringify(form));
  if (form instanceof JsonValueOf) return out.value(form.bytes);
  let before = Array.isArray(form) ? '[' : '{';
  const end = Array.isArray(form) ? ']' : '}';
  for (const [name, member] of Object.entries(form)) {
    if (member === undefined) continue;
    out.text(end === ']' ? before : `${before}${JSON.stringify(name)}:`);
    writeForm(member, out);
    before = ',';
  }
  out.text(before === ',' ? end : before + end);
}
