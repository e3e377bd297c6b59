/** How the model of a simulation refuses a call. */
import type { StoreErrorCode } from '../../src/errors.ts';

/** An error that the contract asks for. */
export class Refusal extends Error {
  readonly code: StoreErrorCode;
  readonly details: object | undefined;

  constructor(code: StoreErrorCode, details?: object) {
    super(code);
    this.code = code;
    this.details = details;
  }
}
