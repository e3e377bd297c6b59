/** What the document says of the parameters that each read takes. */
export const aboutReads = {
  consistency:
    'Where several servers have the store: `local` reads what this one has, which may be old; left out: `linearizable`.',
  min_revision:
    'The server must have come to this revision, for which it waits where another one may be ahead; left out: any.',
};
