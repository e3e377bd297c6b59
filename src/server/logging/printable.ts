/** Text that people see on a terminal: it can't move the cursor, end its line, or pass itself off as something else. */
import { unprintable } from '../../shell-words/unprintable.ts';

const unprintables = new RegExp(unprintable, 'gu');

/** Puts escapes, as JSON has them, in place of all of these. */
export function escapeUnprintable(text: string): string {
  return text.replace(unprintables, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
