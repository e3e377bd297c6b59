/** `txn`. */
import type { Command } from 'commander';
import type { Operation, OperationResult, TxnRequest } from '../../client/types.ts';
import { displayKey, displayValue } from '../display.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { readTextInput } from '../input.ts';
import { txnJson } from '../json.ts';
import type { Session, SessionRunner } from '../session.ts';
import { Table } from '../table.ts';
import { parseTxn } from '../txn-json.ts';

export function addTxnCommand(program: Command, runner: SessionRunner): void {
  program
    .command('txn <file>')
    .description('compare, then write, atomically: a transaction from a JSON file, or - for standard input')
    .option('--proto-json', 'the file is the JSON form of Protobuf, with all values in base64')
    .addHelpText('after', help)
    .action((path: string, flags: { protoJson?: boolean }, command: Command) =>
      runner.run(command, (session) => runTxn(session, path, flags.protoJson ?? false)),
    );
}

async function runTxn(
  { client, output, stdin, isJson }: Session,
  path: string,
  isPlain: boolean,
): Promise<ExitCode> {
  const request = parseTxn(await readTextInput(path, stdin), isPlain);
  const result = await client.txn(request);
  if (isJson) {
    await output.writeJson(txnJson(result));
  } else {
    await output.writeLine(`${result.succeeded ? 'succeeded' : 'failed'}, revision ${result.revision}`);
    if (result.results.length > 0) await output.write(resultTable(request, result.succeeded, result.results));
  }
  return result.succeeded ? exitCode.ok : exitCode.no;
}

function resultTable(request: TxnRequest, succeeded: boolean, results: readonly OperationResult[]): string {
  const operations = (succeeded ? request.success : request.failure) ?? [];
  const rows = results.map((result, index) => {
    const operation = operations[index];
    return [result.kind, operation === undefined ? '' : subjectOf(operation), displayResult(result)];
  });
  return new Table([{ title: 'OPERATION' }, { title: 'KEY' }, { title: 'RESULT' }]).format(rows);
}

function subjectOf(operation: Operation): string {
  if (operation.kind !== 'deleteRange') return displayKey(operation.key);
  const { key, prefix, start, end } = operation.range;
  if (key) return displayKey(key);
  if (prefix) return `${displayKey(prefix)}*`;
  return `${displayKey(start ?? '')}..${displayKey(end ?? '')}`;
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
  }
}

const help = `
When all compares hold, the operations of "success" run, else those of "failure"; all or none take effect, in one
revision. Exits with 1 when "failure" ran.

  {
    "compares": [{ "key": "a", "relation": "equal", "value": "1" }],
    "success":  [{ "put": { "key": "a", "value": "2", "ttl": "30s" } }, { "delete": { "key": "b" } }],
    "failure":  [{ "get": { "key": "a" } }]
  }

Compares: "key" or "range" ({ "prefix": "p/" }, { "start": "a", "end": "b" }); "relation" equal, notEqual, less or
greater; and one of "exists", "value", "version", "createRevision", "modRevision", "leaseId".
Operations: "get", "put" (key, value, ttl, leaseId, returnPrevious), "delete" (key, returnPrevious),
"deleteRange" (range), "increment" (key, delta, ttl).
A "value" is its text, or { "base64": "..." }. With --proto-json the file is read as the JSON form of the message
kelp.v1.TxnRequest, where every value is in base64.

Examples:
  kelp txn move.json
  echo '{"success": [{"put": {"key": "a", "value": "1"}}, {"put": {"key": "b", "value": "2"}}]}' | kelp txn -`;
