/** `GET /v1/openapi.json`: the document, made when it is first asked for. */
import { type Operation, operation } from '../operation.ts';
import { openApiDocument } from './document.ts';

/** @param operations all that are served, this one included. */
export function readOpenApi(operations: () => readonly Operation[], version: string): Operation {
  let document: object | undefined;
  return operation({
    method: 'GET',
    template: '/v1/openapi.json',
    countsAs: 'openapi',
    runsAt: 'here',
    query: {},
    // It says nothing that is not in the manual.
    needs: 'open',
    needsNoStore: true,
    run(call) {
      document ??= openApiDocument(operations(), version);
      call.sendJson(200, document);
    },
  });
}
