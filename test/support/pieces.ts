/** Does all pieces of a work that pauses between them. @returns what comes of it. */
export function resultOf<Result>(pieces: Generator<undefined, Result>): Result {
  for (;;) {
    const piece = pieces.next();
    if (piece.done === true) return piece.value;
  }
}
