/** Waiting for what must come in the end. */
import { expect } from 'vitest';

/** `expect.poll` with the patience that a busy machine needs: it ends as soon as the expectation holds. */
export const eventually: typeof expect.poll = (actual, options) =>
  expect.poll(actual, { timeout: 15_000, ...options });
