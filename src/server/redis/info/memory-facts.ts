/** What memory things take, where the store does not count it one by one. */

/** What an entry takes beside its key and its value, on the average: its row, its place in the index, and room to grow. */
export const KEY_OVERHEAD_BYTES = 64;
