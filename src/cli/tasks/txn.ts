/** The work of `txn`. */
import type { Operation } from '../../api.ts';
import type { OperationResult, TxnRequest } from '../../client/messages/types.ts';
import { displayValue } from '../terminal/display.ts';
import { type ExitCode, exitCode } from '../process/exit-code.ts';
import { readTextInput } from '../command-line/input.ts';
import { resultJson, txnJson } from '../../api-json.ts';
import type { KeyForm } from '../command-line/key-form.ts';
import type { Session } from '../session/session.ts';
import { Table } from '../terminal/table.ts';
import { parseTxn } from '../command-line/txn-json.ts';

export async function runTxn(
  { client, output, stdin, isJson, keys }: Session,
  path: string,
  isPlain: boolean,
): Promise<ExitCode> {
  const request = parseTxn(await readTextInput(path, stdin), isPlain);
  const result = await client.txn(request);
  if (isJson) {
    await output.writeJson(txnJson(result));
  } else {
    await output.writeLine(`${result.succeeded ? 'succeeded' : 'failed'}, revision ${result.revision}`);
    if (result.results.length > 0)
      await output.write(await resultTable(request, result.succeeded, result.results, keys));
  }
  return result.succeeded ? exitCode.ok : exitCode.no;
}

function resultTable(
  request: TxnRequest,
  succeeded: boolean,
  results: readonly OperationResult[],
  keys: KeyForm,
): Promise<string> {
  const operations = (succeeded ? request.success : request.failure) ?? [];
  const rows = results.map((result, index) => {
    const operation = operations[index];
    return [result.kind, operation === undefined ? '' : subjectOf(operation, keys), displayResult(result)];
  });
  return new Table([{ title: 'OPERATION' }, { title: 'KEY' }, { title: 'RESULT' }]).format(rows);
}

function subjectOf(operation: Operation, { show }: KeyForm): string {
  if ('keys' in operation) return operation.keys.map(show).join(' ');
  if ('key' in operation) return show(operation.key);
  if ('all' in operation.range) return 'all keys';
  const { key, prefix, start, end } = operation.range;
  if (key) return show(key);
  if (prefix) return `${show(prefix)}*`;
  return `${show(start ?? '')}..${show(end ?? '')}`;
}

function displayResult(result: OperationResult): string {
  switch (result.kind) {
    case 'get':
      return result.entry === undefined ? 'no such key' : displayValue(result.entry.value);
    case 'put':
      return result.previous === undefined
        ? 'written'
        : `written over ${displayValue(result.previous.value)}`;
    case 'delete':
      return result.deleted ? 'deleted' : 'no such key';
    case 'deleteRange':
      return `${result.deletedCount} deleted`;
    case 'increment':
      return String(result.value);
    default:
      return JSON.stringify(resultJson(result));
  }
}
