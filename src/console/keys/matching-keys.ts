/** The keys that match a glob, forwards alone. */
import { limits } from '../page/limits.ts';
import { ForwardPages, type ReadPage } from '../parts/forward-pages.ts';
import type { KeyRow, KeySource } from './key-source.ts';

export class MatchingKeys extends ForwardPages<KeyRow> implements KeySource {
  constructor(read: ReadPage<KeyRow>) {
    super(read, limits.pageKeys * limits.keptPages);
  }

  override async show(end: 'first' | 'last' = 'first'): Promise<void> {
    await (end === 'last' ? this.readAfter() : super.show());
  }

  readBefore(): Promise<void> {
    return Promise.resolve();
  }
}
