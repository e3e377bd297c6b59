/**
 * Reads base64 as Protobuf's JSON has it, by native code. protobuf-es goes through it character by character, ten times as
 * long, unless the runtime has `Uint8Array.prototype.setFromBase64`, which Node 24 has not.
 */
import { base64Decode } from '@bufbuild/protobuf/wire';

const WHITE_SPACE = /[ \t\r\n]+/g;

/**
 * Both alphabets, with padding or without, with white space between.
 * @throws an Error of protobuf-es for what is no base64.
 */
export function decodeBase64(text: string): Uint8Array {
  // What is written unlike most, or wrong, is for the reader of protobuf-es.
  return decodeUnbroken(text) ?? decodeUnbroken(text.replace(WHITE_SPACE, '')) ?? base64Decode(text);
}

/**
 * Node's decoder leaves out what is not of the alphabets. Since that makes the result shorter, one that has the length
 * that the text asks for is exact.
 * @returns undefined when it is not, or the text can't be of any length.
 */
function decodeUnbroken(text: string): Buffer | undefined {
  const paddingLength = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const length = text.length - paddingLength;
  if (length % 4 === 1 || (paddingLength > 0 && text.length % 4 !== 0)) return undefined;
  const bytes = Buffer.allocUnsafe(Math.floor((length * 3) / 4));
  return bytes.write(text, 'base64') === bytes.length ? bytes : undefined;
}
