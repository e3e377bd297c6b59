/** What a piece takes beside its characters in a text that is put together: strings that are added to each other stay a tree. */
export const PIECE_BYTES = 32;
