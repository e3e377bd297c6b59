/** The words that options of exports and imports are given with, apart, so that a command line is read without the rest. */

/**
 * `jsonl`: JSON Lines (`json/json-lines.ts`). `json`: one document (`json/json-document.ts`). `binary`: a snapshot file, as
 * `kelp backup` writes one.
 */
export const transferFormats = ['jsonl', 'json', 'binary'] as const;
export type TransferFormat = (typeof transferFormats)[number];

/** How a time to live is written: as the instant of its end, or as what is left of it. */
export const ttlForms = ['deadline', 'remaining'] as const;
export type TtlForm = (typeof ttlForms)[number];

/** What becomes of an entry whose key is there already: it ends the import, stays as it is, or is written over. */
export const conflictRules = ['fail', 'skip', 'replace'] as const;
export type OnConflict = (typeof conflictRules)[number];
