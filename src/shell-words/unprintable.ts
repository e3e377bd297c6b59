/** Text that does harm where it is shown: it moves the cursor, ends its line, or passes itself off as something else. */

/** Control, format, unassigned and private characters, and separators of lines and paragraphs. */
export const unprintable = /[\p{C}\p{Zl}\p{Zp}]/u;
