/** The data of a server that a case calls: all keys, in a directory that a process before it has filled. */
import type { CaseContext } from '../bench-case.ts';
import { fillStore, openBenchStore } from './store.ts';

export function servedDirectory({ directory }: CaseContext): string {
  return `${directory}/data`;
}

export async function fillServed(context: CaseContext): Promise<void> {
  const store = await openBenchStore(context, servedDirectory(context), 'never');
  await fillStore(store, context.keyCount);
  await store.snapshot();
  await store.close();
}
