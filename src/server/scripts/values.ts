/** Values as JSON by HTTP: `/set/{key}`, `/get/{key}`, `/delete/{key}`. */
import { checkKey, checkWrite } from '../../access/checks.ts';
import { valueJson } from '../../api-json.ts';
import { StoreError } from '../../errors.ts';
import { JsonText } from '../json/json-text.ts';
import { jsonTurns } from '../json/turn-work.ts';
import { writeForm } from '../json/write-form.ts';
import { type Operation, operation } from '../rest/operation.ts';
import { JSON_REPLY_COPIES, sendPieces } from '../rest/replies/json-reply.ts';
import { refuseConditions } from '../rest/keys/preconditions.ts';
import { sendBody } from './script-reply.ts';
import { readValueBody } from './value-body.ts';

const done = { status: 'ok' };

/** @param requestBytesMax the longest body. */
export function valueOperations(requestBytesMax: number): readonly Operation[] {
  const set = operation({
    method: 'POST',
    template: '/set/{key}',
    countsAs: 'Put',
    runsAt: 'writer',
    query: {},
    // Of any type: curl calls what it posts a form.
    body: { bytesMax: requestBytesMax, limit: 'requestBytesMax' },
    needs: (login, { pathKey }) => checkWrite(login, pathKey, false),
    async run(call) {
      refuseConditions(call);
      // The text that the body holds, and its bytes.
      call.call.chargeRequest(2 * call.body.length);
      const value = await jsonTurns.run(() => readValueBody(call.body));
      // The body was read in a turn of its own.
      call.checkAllowed();
      await call.store.put(call.pathKey, value, {}, call.call);
      sendBody(call, 200, done);
    },
  });

  const get = operation({
    method: 'GET',
    template: '/get/{key}',
    countsAs: 'Get',
    runsAt: 'caughtUp',
    query: {},
    needs: (login, { pathKey }) => checkKey(login, 'read', pathKey),
    async run(call) {
      call.call.replyCopies = JSON_REPLY_COPIES;
      const { entry } = await call.store.get(call.pathKey, {
        admit: (found) => call.call.chargeReply(found?.value.length ?? 0),
      });
      if (entry === undefined) throw new StoreError('keyNotFound', 'Key not found');
      const text = await jsonTurns.run(() => {
        const made = new JsonText();
        writeForm({ value: valueJson(entry.value) }, made);
        made.end();
        return made;
      });
      await sendPieces(call, () => text.take());
    },
  });

  const remove = operation({
    method: 'DELETE',
    template: '/delete/{key}',
    countsAs: 'Delete',
    runsAt: 'writer',
    query: {},
    needs: (login, { pathKey }) => checkWrite(login, pathKey, false),
    async run(call) {
      refuseConditions(call);
      const { deleted } = await call.store.delete(call.pathKey);
      if (!deleted) throw new StoreError('keyNotFound', 'Key not found');
      sendBody(call, 200, done);
    },
  });

  return [set, get, remove];
}
