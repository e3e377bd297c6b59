/**
 * What is wrong with a request as one of HTTP: the closed set beside those of the store (`errors.ts`) and of calls
 * (`calls/call-error.ts`). `problem.ts` gives each its status.
 */
import { AnswerError } from '../../errors.ts';

export type RestErrorCode =
  /** Nothing is served at the path. */
  | 'pathNotFound'
  /** The path has no such method; a header `allow` says which it has. */
  | 'methodNotAllowed'
  /** The body is longer than the path takes. */
  | 'bodyTooLong'
  /** The body is in a form that is not taken; the detail says which is. */
  | 'unsupportedMediaType'
  /** The range that was asked for lies behind the end of the value; a header `content-range` tells its length. */
  | 'rangeNotSatisfiable';

export class RestError extends AnswerError {
  override readonly name = 'RestError';
  readonly code: RestErrorCode;
  /** Names and values of headers, in turn. */
  readonly headers: readonly string[];

  constructor(code: RestErrorCode, message: string, headers: readonly string[] = []) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}
