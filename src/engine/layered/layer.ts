/** The layers of a layered engine (`layers.ts`), as bits: a key may be in several of them. */
export const NOWHERE = 0;
export const CURRENT = 1;
export const PREVIOUS = 2;
export const BASE = 4;
