/** The closed set of what can be wrong with the bytes of a message. */
import { AnswerError } from '../errors.ts';

export type WireErrorCode =
  /** A field, a length or a varint runs past the end of the message that holds it. */
  | 'truncated'
  /** A varint of more than 10 bytes. */
  | 'badVarint'
  /** A field number of 0 or above 2^29 - 1, a wire type of 6 or 7, the end of a group that was not begun. */
  | 'badTag'
  /** A string field that is not UTF-8. */
  | 'badText'
  /** A 64-bit integer beyond 2^53 - 1 in a field whose values are kept as numbers. */
  | 'integerTooLarge'
  /** Unknown groups within unknown groups, or messages within themselves, more than `nestingDepthMax` deep. */
  | 'tooDeep';

/**
 * The bytes are not a Protobuf message of the type that was asked for. The only error that decoding throws; the caller
 * decides what it means: damage for what lies on disk, a bad request for what came over the network.
 */
export class WireError extends AnswerError {
  override readonly name = 'WireError';
  readonly code: WireErrorCode;
  /** Where in the buffer, in bytes from its first. */
  readonly offset: number;

  constructor(code: WireErrorCode, offset: number) {
    super(wireErrorText(code, offset));
    this.code = code;
    this.offset = offset;
  }
}

/** @param offset counted from where its reader has it counted: a message may lie within a buffer. */
export function wireErrorText(code: WireErrorCode, offset: number): string {
  return `malformed message: ${textByCode[code]} at byte ${offset}`;
}

const textByCode: { readonly [code in WireErrorCode]: string } = {
  truncated: 'it ends too early',
  badVarint: 'a varint has more than 10 bytes',
  badTag: 'there is no valid field tag',
  badText: 'a string is not UTF-8',
  integerTooLarge: 'an integer is beyond 2^53 - 1',
  tooDeep: 'it is nested too deep',
};
