/** `POST /v1/txn`: compares, then writes, atomically. The form of the body is in `json/txn-form.ts`. */
import type { JsonValue } from '@bufbuild/protobuf';
import { TxnRequestSchema } from '../../../../gen/kelp/v1/kv_pb.ts';
import { checkTxn, checkUser } from '../../../access/checks.ts';
import type { TxnRequest } from '../../../api.ts';
import { txnJson } from '../../../api-json.ts';
import type { ServerLimits } from '../../../limits.ts';
import { checkTxnOperations, faultyPlaceIn, toProtobufTxn } from '../../json/txn-form.ts';
import { toTxnRequest } from '../../json/txn-message.ts';
import { txnOperations } from '../../services/limited.ts';
import { admitResult } from '../../services/kv/transaction.ts';
import { type Operation, operation } from '../operation.ts';
import { refuseConditions } from '../keys/preconditions.ts';
import { readJsonBody } from '../replies/json-body.ts';
import { JSON_REPLY_COPIES, sendForm } from '../replies/json-reply.ts';

export function runTxn({ requestBytesMax }: Pick<ServerLimits, 'requestBytesMax'>): Operation {
  return operation({
    method: 'POST',
    template: '/v1/txn',
    countsAs: 'Txn',
    runsAt: 'writer',
    query: {},
    body: { bytesMax: requestBytesMax, limit: 'requestBytesMax', types: ['application/json'] },
    // Of the body: below.
    needs: checkUser,
    async run(call) {
      refuseConditions(call);
      call.call.replyCopies = JSON_REPLY_COPIES;
      const request = await readTxn(call.body);
      call.call.asked(call.name, () => checkTxn(call.call.login, call.store, request));
      // One was taken as it began.
      call.call.rate?.addOperations(operationsOf(request) - 1);
      const asked = { ...request, admit: admitResult(call.call) };
      await sendForm(call, txnJson(await call.store.txn(asked, call.call)));
    },
  });
}

function operationsOf({ compares = [], success = [], failure = [] }: TxnRequest): number {
  return txnOperations(compares.length, success.length, failure.length);
}

async function readTxn(body: Uint8Array): Promise<TxnRequest> {
  let form: JsonValue = null;
  const toProtobuf = (json: JsonValue): JsonValue => toProtobufTxn((form = json));
  const message = await readJsonBody(TxnRequestSchema, body, toProtobuf, faultyPlaceIn);
  checkTxnOperations(form);
  return toTxnRequest(message);
}
