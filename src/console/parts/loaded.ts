/** What a part of the page shows of the server: read when it is shown, and again when asked to or when the server has come back. */
import { useEffect, useState } from 'preact/hooks';
import { type Failure, failureOf } from '../calls/failure.ts';
import { answeredCount } from '../calls/server.ts';

export interface Loaded<Value> {
  /** What was read last for these inputs; it stays while it is read again, so that nothing flickers. */
  readonly value: Value | undefined;
  readonly failure: Failure | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/** @param id tells what is loaded: with another one, nothing that was read before is shown. */
export function useLoaded<Value>(id: string, load: (signal: AbortSignal) => Promise<Value>): Loaded<Value> {
  const [state, setState] = useState<{ id: string; value?: Value; failure?: Failure; isLoading: boolean }>({
    id,
    isLoading: true,
  });
  const [turn, setTurn] = useState(0);
  const returns = answeredCount.value;
  useEffect(() => {
    const leaving = new AbortController();
    setState((before) => (before.id === id ? { ...before, isLoading: true } : { id, isLoading: true }));
    load(leaving.signal).then(
      (value) => {
        if (!leaving.signal.aborted) setState({ id, value, isLoading: false });
      },
      (error: unknown) => {
        if (leaving.signal.aborted) return;
        const failure = failureOf(error);
        setState((before) => ({ ...before, id, failure, isLoading: false }));
      },
    );
    return () => leaving.abort();
  }, [id, turn, returns]);
  const isOfNow = state.id === id;
  return {
    value: isOfNow ? state.value : undefined,
    failure: isOfNow ? state.failure : undefined,
    isLoading: state.isLoading,
    reload: () => setTurn((turn) => turn + 1),
  };
}
