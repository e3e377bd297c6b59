/** What scripts may set of `cjson`; a table of the library has settings of its own. */
import { LuaLightUserdata } from '../../value.ts';

/** JSON's null, which a table of Lua can hold, unlike nil. */
export const JSON_NULL: LuaLightUserdata = new LuaLightUserdata('userdata: (nil)');

/** What becomes of infinities and of what is no number. */
type InvalidNumbers = 'off' | 'on' | 'null';

export class JsonSettings {
  /**
   * An array with more than `sparseRatio` times as many places as elements, and more places than `sparseSafe`, is an error, or an
   * object where `convertsSparse`; a ratio of 0 allows all.
   */
  convertsSparse = false;
  sparseRatio = 2;
  sparseSafe = 10;
  encodeDepthMax = 1000;
  decodeDepthMax = 1000;
  /** Significant digits of numbers. */
  numberPrecision = 14;
  encodeInvalidNumbers: InvalidNumbers = 'off';
  decodesInvalidNumbers = true;
  /** Is kept for scripts that ask; there is no buffer. */
  keepsBuffer = true;
}
