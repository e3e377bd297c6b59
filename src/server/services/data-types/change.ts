/** Methods that change collections: each is an operation as a transaction has it, run by itself. */
import type { DescMethodUnary } from '@bufbuild/protobuf';
import { checkCollection, mayUseAllKeys } from '../../../access/checks.ts';
import type { CollectionKind } from '../../../api-collections.ts';
import type { Admit } from '../../../api.ts';
import type { Call } from '../../calls/call.ts';
import { type Codecs, type Needs, type UnaryMethod, unaryWrite } from '../method.ts';
import { answerBytes, type ReplyOf, replyOf } from './replies.ts';
import { operationOf, type RequestOf } from './requests.ts';

export function changing<Kind extends CollectionKind>(
  desc: DescMethodUnary,
  kind: Kind,
  codecs: Codecs<RequestOf<Kind>, ReplyOf<Kind>>,
): UnaryMethod<RequestOf<Kind>, ReplyOf<Kind>> {
  return unaryWrite(desc, codecs, operationNeeds(kind), async (store, request, call) => {
    const operation = operationOf(kind, request, '');
    const { result, revision } = await store.operate(operation, admitAnswer(call), call);
    return replyOf(result, revision);
  });
}

export function operationNeeds<Kind extends CollectionKind>(kind: Kind): Needs<RequestOf<Kind>> {
  return (login, request) => {
    if (!mayUseAllKeys(login)) checkCollection(login, operationOf(kind, request, ''));
  };
}

/** Charges an answer to its call before it takes effect. */
export function admitAnswer(call: Call): Admit<object> {
  return (result) => call.chargeReply(answerBytes(result));
}
