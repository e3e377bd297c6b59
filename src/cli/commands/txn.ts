/** `txn`. */
import type { Command } from 'commander';
import type { SessionRunner } from '../session/session.ts';

const tasks = () => import('../tasks/txn.ts');

export function addTxnCommand(program: Command, runner: SessionRunner): void {
  program
    .command('txn <file>')
    .description('compare, then write, atomically: a transaction from a JSON file, or - for standard input')
    .option('--proto-json', 'the file is the JSON form of Protobuf, with all values in base64')
    .addHelpText('after', help)
    .action((path: string, flags: { protoJson?: boolean }, command: Command) =>
      runner.run(command, async (session) => (await tasks()).runTxn(session, path, flags.protoJson ?? false)),
    );
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
"deleteRange" (range; { "all": true } is all keys), "increment" (key, delta, ttl).
A number beyond 2^53 - 1 is written as text, in quotes.
A "value" is its text, or { "base64": "..." }. A key that is not UTF-8 is a "keyBytes" in base64 in place of the "key",
and so "prefixBytes", "startBytes" and "endBytes". With --proto-json the file is read as the JSON form of the message
kelp.v1.TxnRequest, where every value is in base64.

Examples:
  kelp txn move.json
  echo '{"success": [{"put": {"key": "a", "value": "1"}}, {"put": {"key": "b", "value": "2"}}]}' | kelp txn -`;
