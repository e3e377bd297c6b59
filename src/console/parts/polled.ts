/** What is read once a second, as long as somebody can see it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Failure, failureOf } from '../calls/failure.ts';
import { answeredCount, unreachable } from '../calls/server.ts';
import { every } from '../page/clock.ts';
import { limits } from '../page/limits.ts';

export interface Polled<Value> {
  /** What was read last; it stays while a read fails. */
  readonly value: Value | undefined;
  readonly failure: Failure | undefined;
  /** Reads at once, in place of waiting. */
  readonly readNow: () => void;
}

/** One read at a time, none while the tab is hidden or the server does not answer. Each is one change of state: one render. */
export function usePolled<Value>(load: (signal: AbortSignal) => Promise<Value>): Polled<Value> {
  const [state, setState] = useState<{ value: Value | undefined; failure: Failure | undefined }>({
    value: undefined,
    failure: undefined,
  });
  const poll = useRef<() => void>(() => undefined);
  const loadNow = useRef(load);
  loadNow.current = load;
  useEffect(() => {
    const leaving = new AbortController();
    const { signal } = leaving;
    let isReading = false;
    poll.current = (): void => {
      if (isReading || signal.aborted) return;
      if (document.visibilityState !== 'visible' || unreachable.peek() !== undefined) return;
      isReading = true;
      loadNow
        .current(signal)
        .then(
          (value) => {
            if (!signal.aborted) setState({ value, failure: undefined });
          },
          (error: unknown) => {
            if (!signal.aborted) setState(({ value }) => ({ value, failure: failureOf(error) }));
          },
        )
        .finally(() => {
          isReading = false;
        });
    };
    const readNow = (): void => poll.current();
    readNow();
    document.addEventListener('visibilitychange', readNow);
    const stop = every(limits.pollMs, readNow);
    return () => {
      leaving.abort();
      stop();
      document.removeEventListener('visibilitychange', readNow);
    };
  }, []);
  const returns = answeredCount.value;
  useEffect(() => poll.current(), [returns]);
  return { ...state, readNow: () => poll.current() };
}
