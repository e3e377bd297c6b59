/** The page's timers, and the time as it shows it. */
import { signal } from '@preact/signals';

/** @returns what cancels it. */
export function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}

/** @returns what ends it. */
export function every(intervalMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, intervalMs);
  return () => clearInterval(timer);
}

/** In milliseconds since 1970; moves on once a second, so that whatever counts down does so together. */
export const nowMs = signal(Date.now());
every(1000, () => {
  nowMs.value = Date.now();
});
