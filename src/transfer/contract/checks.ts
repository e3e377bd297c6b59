/** Checks of what exports and imports work on, for programs that have no types. */
import { type Check, mustBe } from '../../arguments/check.ts';

/** An object with some methods; whether they do what they should shows only when they are called. */
export function withMethods(names: readonly PropertyKey[], wanted: string): Check<object> {
  return (value) =>
    typeof value === 'object' && value !== null && names.every((name) => isMethodOf(value, name))
      ? undefined
      : mustBe(value, wanted);
}

/** The path of a file, or else what a check says. */
export function pathOr(check: Check<object>): Check<string | object> {
  return (value) => (typeof value === 'string' ? undefined : check(value));
}

function isMethodOf(value: object, name: PropertyKey): boolean {
  return typeof (value as Readonly<Record<PropertyKey, unknown>>)[name] === 'function';
}
