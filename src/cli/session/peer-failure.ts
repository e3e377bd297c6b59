/** What another node has answered to this one, with what the operator of this one can do about it. */
import { type KelpErrorCode, isKelpError } from '../../client/errors/error.ts';
import { type MisconfigurationKind, misconfigurationOf } from '../../client/errors/connect-failure.ts';

/** @returns what is to be thrown. */
export function peerFailure(error: unknown): unknown {
  if (!isKelpError(error)) return error;
  const wrong = misconfigurationOf(error);
  const advice = wrong === undefined ? adviceByCode[error.code] : adviceByKind[wrong.kind];
  if (advice === undefined) return error;
  return new Error(`${(wrong ?? error).message}; ${advice}`, { cause: error });
}

const adviceByCode: Readonly<Partial<Record<KelpErrorCode, string>>> = {
  unauthenticated: 'give this node a token of a user that is admin, with --peer-token-file',
  permissionDenied: 'the token of --peer-token-file has to be of a user that is admin',
};

const adviceByKind: Readonly<Partial<Record<MisconfigurationKind, string>>> = {
  peerHasTls: 'nodes speak TLS to each other only with --tls-cert and --tls-key of their own',
  peerHasNoTls: 'give that node --tls-cert and --tls-key, as this one has',
  unknownAuthority: 'give its authority with --peer-ca',
};
