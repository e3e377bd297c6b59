/** Keeps a result as a file of its own, whose name says when and of which commit it is, and what speaks against it. */
import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchDocument } from './result.ts';

/** Where results are kept unless another folder is named. */
export const RESULTS_FOLDER = fileURLToPath(new URL('./results', import.meta.url));

const SHORT_ID_LENGTH = 7;

/** `2026-11-26-150211-36edf4a.json`, with `-dirty` or `-quick` where that is so: by name, files are in order of time. */
export function resultFileName({ startedAt, commit, isQuick }: BenchDocument): string {
  const time = startedAt.replaceAll(':', '').replace('T', '-').replace('Z', '');
  const parts = [time, commit === null ? 'no-commit' : commit.id.slice(0, SHORT_ID_LENGTH)];
  if (commit?.isDirty === true) parts.push('dirty');
  if (isQuick) parts.push('quick');
  return `${parts.join('-')}.json`;
}

/** Sees to it before anything is measured that a result can be kept; an error says why it can't. */
export async function makeResultsFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await access(folder, constants.W_OK);
}

/** Returns the path of the new file. An older file is never written over. */
export async function saveResult(document: BenchDocument, folder: string): Promise<string> {
  const path = join(folder, resultFileName(document));
  await writeFile(path, toJson(document), { flag: 'wx' });
  return path;
}

export function toJson(document: BenchDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
