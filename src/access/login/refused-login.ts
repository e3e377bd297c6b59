/** What is wrong with credentials: for the log of the server alone. A client is told no more than that they are not right. */
import { StoreError } from '../../errors.ts';

export type LoginRefusal =
  'noSuchUser' | 'noPassword' | 'wrongPassword' | 'unknownToken' | 'over' | 'unknownCertificate';

/** Nothing was shown where something must be. */
export class MissingLogin extends StoreError<'unauthenticated'> {
  constructor() {
    super('unauthenticated', 'this server asks for a user and password, a token or a client certificate');
  }
}

export class RefusedLogin extends StoreError<'unauthenticated'> {
  readonly reason: LoginRefusal;

  constructor(reason: LoginRefusal) {
    super('unauthenticated', 'the credentials are not right');
    this.reason = reason;
  }
}
