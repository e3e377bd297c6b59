/** Where the keyboard is when a form opens. */
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** @returns what to give to the field that is to have the focus as soon as it is there. */
export function useFocus<Field extends HTMLElement>(): RefObject<Field | null> {
  const field = useRef<Field>(null);
  useEffect(() => field.current?.focus(), []);
  return field;
}
