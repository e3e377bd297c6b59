/** What a flush tells the base of its end. */
import type { EngineRange } from '../../engine.ts';
import type { NewState } from '../rows/row-writer.ts';

export interface FlushEnd {
  /** It is durable. */
  committed(result: FlushResult): void;
  /** It is over, however it ended: another may begin. Called once or more. */
  over(): void;
  /** Asked when the thread is gone and has not said: whether the database has the state that it was to commit. */
  wasCommitted(): boolean;
}

/** The row of `state` that a commit writes, with its notes. */
export type StateWith = (notes: Uint8Array) => NewState;

export interface FlushResult {
  readonly notes: Uint8Array;
  /** That there are now; `undefined`: the database tells. */
  readonly rowCount: number | undefined;
  readonly forgotten: readonly EngineRange[];
  /** Pages that went through the log, and that are left in it. */
  readonly logFrames: number;
  readonly leftFrames: number;
}
