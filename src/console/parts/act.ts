/** Something that a part of the page does: whether it is under way, and why it failed. */
import { useState } from 'preact/hooks';
import { type Failure, failureOf } from '../calls/failure.ts';

export interface Act {
  readonly failure: Failure | undefined;
  readonly isBusy: boolean;
  /** @param then runs when it was done. */
  readonly run: <Result>(act: () => Promise<Result>, then?: (result: Result) => void) => void;
}

export function useAct(): Act {
  const [failure, setFailure] = useState<Failure>();
  const [isBusy, setBusy] = useState(false);
  async function work<Result>(act: () => Promise<Result>, then?: (result: Result) => void): Promise<void> {
    setBusy(true);
    setFailure(undefined);
    try {
      const result = await act();
      then?.(result);
    } catch (error) {
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  }
  return { failure, isBusy, run: (act, then) => void work(act, then) };
}
