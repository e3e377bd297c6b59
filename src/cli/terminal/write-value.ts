/** Prints a value as it is. */
import { textOf } from '../../api-json.ts';
import { isPrintable } from './display.ts';
import type { Output } from './output.ts';

/** The bytes as they are; to a terminal only what can't harm it. */
export async function writeValue(output: Output, value: Uint8Array): Promise<void> {
  if (!output.isTerminal) return output.write(value);
  const text = textOf(value);
  if (text !== undefined && isPrintable(text)) {
    return output.write(text === '' || text.endsWith('\n') ? text : `${text}\n`);
  }
  output.note('not printable text, so shown in hexadecimal digits; redirect or pipe it to get the bytes');
  return output.writeLine(Buffer.from(value).toString('hex'));
}
