/** Bytes that are no value as Redis writes one. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';

  constructor() {
    super('the payload is no value as Redis writes one');
  }
}
