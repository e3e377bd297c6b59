/** Replies on keys, from the form of the protocol to their plain one. */
import type { OperationResult as OperationResultMessage, TxnResponse } from '../../../gen/kelp/v1/kv_pb.ts';
import type { Key, NamedKey } from '../../api.ts';
import { toEntry } from './entry.ts';
import { KelpError } from '../errors/error.ts';
import { toNumber } from './scalar.ts';
import type { OperationResult, TxnResult } from './types.ts';

/** What names the key in an entry of a reply. */
export function keyOf({ key, keyBytes }: { readonly key: string; readonly keyBytes: Uint8Array }): NamedKey {
  return keyBytes.length === 0 ? { key } : { key, keyBytes };
}

/** The keys of a reply's list, where empty texts stand for those that are not UTF-8. */
export function keysOf(reply: { readonly keys: readonly string[]; readonly keysBytes: Uint8Array[] }): Key[] {
  const inBytes = reply.keysBytes.values();
  return reply.keys.map((key) => {
    if (key !== '') return key;
    const { value } = inBytes.next();
    if (value === undefined) throw incompleteReply('a key');
    return value;
  });
}

export function toTxnResult(reply: TxnResponse): TxnResult {
  return {
    succeeded: reply.succeeded,
    results: reply.results.map(toOperationResult),
    revision: toNumber(reply.revision),
  };
}

function toOperationResult({ result }: OperationResultMessage): OperationResult {
  switch (result.case) {
    case 'get':
      return { kind: 'get', entry: toEntry(result.value.entry) };
    case 'put':
      return { kind: 'put', previous: toEntry(result.value.previous) };
    case 'delete':
      return { kind: 'delete', deleted: result.value.deleted, previous: toEntry(result.value.previous) };
    case 'deleteRange':
      return { kind: 'deleteRange', deletedCount: toNumber(result.value.deletedCount) };
    case 'increment':
      return { kind: 'increment', value: result.value.value };
    case undefined:
      throw incompleteReply('a result of an operation');
  }
}

/** A reply lacks what every KelpDB server sends. */
export function incompleteReply(missing: string): KelpError {
  return new KelpError(
    'internal',
    `the server's reply lacks ${missing}; is it newer than this client?`,
    undefined,
  );
}
