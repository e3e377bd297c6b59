/**
 * Libraries of functions as FUNCTION DUMP of Redis 7.0 gives them, and FUNCTION RESTORE takes them: `F5` and the text, for each, then version
 * and checksum as in DUMP (`format.ts`).
 */
import { StoreError } from '../../errors.ts';
import { serverFixed } from '../../limits.ts';
import { budgetSpent } from '../../store/views/draft.ts';
import type { WorkBudget } from '../../work-budget.ts';
import { LIBRARY } from './format.ts';
import { ValueReader } from './value-reader.ts';
import { ValueWriter } from './value-writer.ts';

/** @param texts one character for each byte. */
export function dumpLibraries(texts: readonly string[]): Uint8Array {
  const writer = new ValueWriter();
  for (const text of texts) {
    writer.byte(LIBRARY);
    writer.string(Buffer.from(text, 'latin1'));
  }
  return writer.finish();
}

/**
 * The texts of libraries, one character for each byte; `undefined`: there is something else among them.
 * @param bytes of a payload, without version and checksum. Throws `PayloadError`, and `limitReached` for more than a store may have.
 */
export function readLibraries(bytes: Uint8Array, budget: WorkBudget): string[] | undefined {
  const { redisLibrariesMax, redisLibraryBytesMax } = serverFixed;
  const reader = new ValueReader(bytes, budget);
  const texts: string[] = [];
  let byteCount = 0;
  while (!reader.isAtEnd) {
    if (reader.byte() !== LIBRARY) return undefined;
    const text = reader.string();
    budget.spendBytes(text.length);
    if (budget.isSpent) throw budgetSpent(budget);
    byteCount += text.length;
    texts.push(Buffer.from(text).toString('latin1'));
    if (texts.length > redisLibrariesMax || byteCount > redisLibraryBytesMax)
      throw new StoreError(
        'limitReached',
        `the payload has more than ${redisLibrariesMax} libraries (redisLibrariesMax) or ${redisLibraryBytesMax} bytes of text (redisLibraryBytesMax)`,
      );
  }
  return texts;
}
