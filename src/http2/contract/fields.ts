/**
 * Header lists as they come and go: names in lower case, values as they were sent, one pair for each line. What an HTTP/2
 * endpoint must refuse in them (RFC 9113, section 8) never gets this far.
 */

/** In the order of the block; a name may come more than once. Pseudo-headers are not among them. */
export type Field = readonly [name: string, value: string];

/** The head of a request. The same object is given again when the same bytes come again: it must not be changed. */
export interface RequestHead {
  readonly method: string;
  readonly scheme: string;
  /** Of `:authority`, else of `host`; empty when there was neither. */
  readonly authority: string;
  readonly path: string;
  /** Of `content-length`; undefined when there was none. */
  readonly contentLength: number | undefined;
  readonly fields: readonly Field[];
  /** For the receiver of requests: what it has made of this head, for the next time that it comes. */
  memo: unknown;
}

/** The head of a response; an informational one (1xx) is not told. */
export interface ResponseHead {
  readonly status: number;
  /** Of `content-length`; undefined when there was none. No body follows it in a reply to HEAD, nor with 204 or 304. */
  readonly contentLength: number | undefined;
  readonly fields: readonly Field[];
  memo: unknown;
}

/** The value of the first field of this name. */
export function fieldOf(fields: readonly Field[], name: string): string | undefined {
  for (const field of fields) if (field[0] === name) return field[1];
  return undefined;
}

/**
 * A header block that is ready to be sent: it touches no dynamic table, so that the same bytes serve every connection.
 * Made by `encodeBlock`.
 */
export type HeaderBlock = Buffer & { readonly headerBlock: unique symbol };
