/** The one place where text becomes code of JavaScript. */

/**
 * The value that code returns to which nothing is known but what has a name in `values`, and the language's own globals, which the generator
 * never names: all names of a script are numbered, and its strings are literals.
 */
export function evaluate(code: string, values: Readonly<Record<string, unknown>>): unknown {
  // oxlint-disable-next-line typescript/no-implied-eval -- This is the compiler's back end
  const run = new Function(...Object.keys(values), `'use strict';${code}`) as (...args: unknown[]) => unknown;
  return run(...Object.values(values));
}
