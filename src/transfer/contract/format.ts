/** How the name of a file tells the form of an export. */
import type { TransferFormat } from './words.ts';

const formatByEnding: Readonly<Record<string, TransferFormat>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
  kelp: 'binary',
  backup: 'binary',
  snapshot: 'binary',
  bin: 'binary',
  pb: 'binary',
};

export const knownEndings: readonly string[] = Object.keys(formatByEnding).map((ending) => `.${ending}`);

/** The form that the name of a file stands for; `undefined`: it stands for none. */
export function formatOfName(path: string): TransferFormat | undefined {
  const [, ending = ''] = /\.([^./]+)$/.exec(path) ?? [];
  return formatByEnding[ending.toLowerCase()];
}
