/** What a watch reads from. */
import type { Engine } from '../../../engine/engine.ts';
import type { Journal } from '../../../wal/journal.ts';
import type { History } from '../../history/history.ts';
import type { DescribeElements } from '../messages/element-rows.ts';
import type { Incarnations } from '../../history/incarnations.ts';

export interface WatchSource {
  readonly storeId: string;
  readonly engine: Engine;
  readonly log: Journal;
  readonly history: History;
  readonly incarnations: Incarnations;
  visibleRevision(): number;
  readonly describeElements: DescribeElements;
  /** A watch has ended with this. */
  noteFailure(error: Error): void;
}
