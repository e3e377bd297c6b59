/** What a base counts since it was opened, for its figures. */
import { CompressionFigures } from '../compression.ts';

export class Counters {
  readCount = 0;
  cacheHits = 0;
  cacheMisses = 0;
  filterStops = 0;
  filterMisses = 0;
  flushedBytes = 0;
  mergedBytes = 0;
  readonly compression = new CompressionFigures();
}
