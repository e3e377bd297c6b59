/** How calls of a shared log fail. What is no failure, to be fenced or to lose a race, is a result. */

export type SharedLogErrorCode =
  /** It did not answer in time. */
  | 'unavailable'
  /** The login is missing or refused, or may not do this: somebody has to give another one. */
  | 'refused'
  /** It takes no records until there is room again. */
  | 'full'
  /** There is no log: it was never made, or was wiped. */
  | 'notInitialized'
  /** It is that of another store. */
  | 'otherStore'
  /** It is older than it has been: an old copy of it was brought back, or one of another log. */
  | 'wentBack'
  /** The position is not kept any more. */
  | 'trimmed'
  /** Another batch of the same writer lies there: an append was tried again with other bytes. */
  | 'placeTaken'
  /** What lies there can't be what was written. */
  | 'damaged'
  /** It was closed. */
  | 'closed'
  /** Anything else, such as that what answers there is of another kind. */
  | 'failed';

export interface SharedLogErrorOptions extends ErrorOptions {
  readonly mayHaveLanded?: boolean;
  readonly firstPosition?: number | undefined;
}

export class SharedLogError extends Error {
  override readonly name = 'SharedLogError';
  readonly code: SharedLogErrorCode;
  /** Of a write: whether it may have taken effect, or may do so yet. What an earlier call has left open stays open. */
  readonly mayHaveLanded: boolean;
  /** Of `trimmed`: the oldest position that is kept. */
  readonly firstPosition: number | undefined;

  constructor(code: SharedLogErrorCode, message: string, options: SharedLogErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.mayHaveLanded = options.mayHaveLanded ?? false;
    this.firstPosition = options.firstPosition;
  }

  /**
   * Whether the same call, with the same bytes, may succeed later: a login is given again, a full log is trimmed. With all else it is not
   * known what the shared log is, or its user has made a mistake.
   */
  get mayPass(): boolean {
    return passing.has(this.code);
  }

  /** The same failure of a write of which an earlier try was left open. */
  leftOpen(): SharedLogError {
    const { code, message, firstPosition, cause } = this;
    return new SharedLogError(code, message, { mayHaveLanded: true, firstPosition, cause });
  }
}

const passing: ReadonlySet<SharedLogErrorCode> = new Set(['unavailable', 'refused', 'full', 'failed']);
