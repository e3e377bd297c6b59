/** Blobs by HTTP: `/blobs/{key}` and `/blobs`. */
import { checkKey, checkRange, checkWrite } from '../../access/checks.ts';
import type { Login } from '../../access/login/login.ts';
import { listedKeyJson } from '../../api-json.ts';
import type { Key } from '../../api.ts';
import { type Blobs, etagOf } from '../../blobs/blobs.ts';
import { StoreError } from '../../errors.ts';
import { matchesWeakly, tagList } from '../rest/keys/entity-tag.ts';
import { type Operation, operation } from '../rest/operation.ts';
import { keyParameter } from '../rest/query.ts';
import type { RestCall } from '../rest/rest-call.ts';
import { PacedReply } from '../rest/replies/paced-reply.ts';
import { refuseConditions } from '../rest/keys/preconditions.ts';
import { JSON_HEADERS, sendBody } from './script-reply.ts';

/** What the operations stand on. Throws while there is no store. */
export type BlobsOf = (call: RestCall) => Blobs;

/** @param valueBytesMax that of the store. */
export function blobOperations(blobsOf: BlobsOf, valueBytesMax: number): readonly Operation[] {
  const write = operation({
    method: 'POST',
    template: '/blobs/{key}',
    countsAs: 'Put',
    runsAt: 'writer',
    query: {},
    body: { bytesMax: valueBytesMax, limit: 'valueBytesMax' },
    needs: (login, { pathKey }) => checkWrite(login, pathKey, false),
    async run(call) {
      refuseConditions(call);
      const { volumeId } = blobsOf(call);
      const etag = etagOf(call.body);
      await call.store.put(call.pathKey, call.body, {}, call.call);
      const body = { key: listedKeyJson(call.pathKey), etag, size: call.body.length, volume_id: volumeId };
      sendBody(call, 201, body, ['etag', `"${etag}"`]);
    },
  });

  const read = operation({
    method: 'GET',
    template: '/blobs/{key}',
    countsAs: 'Get',
    runsAt: 'caughtUp',
    query: {},
    needs: (login, { pathKey }) => checkKey(login, 'read', pathKey),
    async run(call) {
      const known = tagList('If-None-Match', call.header('if-none-match'));
      const { entry } = await call.store.get(call.pathKey, {
        admit: (found) => call.call.chargeReply(found?.value.length ?? 0),
      });
      if (entry === undefined) throw new StoreError('keyNotFound', 'Blob not found');
      const tag = `"${etagOf(entry.value)}"`;
      const headers = ['etag', tag, 'cache-control', 'no-cache'];
      if (known !== undefined && matchesWeakly(known, tag)) return call.sendHead(304, headers);
      headers.push('content-type', 'application/octet-stream', 'x-content-type-options', 'nosniff');
      call.send(200, headers, entry.value);
    },
  });

  const remove = operation({
    method: 'DELETE',
    template: '/blobs/{key}',
    countsAs: 'Delete',
    runsAt: 'writer',
    query: {},
    needs: (login, { pathKey }) => checkWrite(login, pathKey, false),
    async run(call) {
      refuseConditions(call);
      await blobsOf(call).delete(call.pathKey);
      call.sendHead(204, []);
    },
  });

  const list = operation({
    method: 'GET',
    template: '/blobs',
    countsAs: 'Keys',
    runsAt: 'caughtUp',
    query: { prefix: keyParameter },
    needs: listNeeds,
    run(call, { prefix }) {
      // Its pages may take long.
      call.call.keepAllowed((login) => listNeeds(login, call, { prefix }));
      return sendList(call, blobsOf(call).listPages(prefix === undefined ? {} : { prefix }));
    },
  });

  return [write, read, remove, list];
}

function listNeeds(login: Login, _: RestCall, { prefix }: { readonly prefix?: Key | undefined }): void {
  checkRange(login, 'read', prefix === undefined ? {} : { prefix });
}

/** An array, page by page, each when the client has taken most of the one before. */
async function sendList(call: RestCall, pages: AsyncIterator<readonly Key[]>): Promise<void> {
  // What is wrong with the first page can still be told.
  let page = await pages.next();
  if (call.isHead) return call.sendHead(200, JSON_HEADERS);
  const reply = new PacedReply(call, JSON_HEADERS);
  let before = '[';
  while (page.done !== true) {
    const items = page.value.map((key) => JSON.stringify(listedKeyJson(key)));
    if (items.length > 0) {
      if (!(await reply.write(Buffer.from(before + items.join(','))))) return;
      before = ',';
    }
    // What is sent already can't be unsent, but the rest is not.
    if (call.call.abortReason !== undefined) return call.fail(call.call.abortReason);
    page = await pages.next();
  }
  await reply.write(Buffer.from(before === '[' ? '[]' : ']'));
  reply.end();
}
