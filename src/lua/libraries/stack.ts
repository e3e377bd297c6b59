/** So many values fit on the stack of one call of C's Lua: what would give more is refused with its error. */
export const STACK_MAX = 8000;
