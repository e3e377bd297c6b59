/** Replies on keys, from the form of the protocol to their plain one. */
import type { OperationResultShape, TxnResponseShape } from '../../../gen/kelp/v1/kv_codec.ts';
import type { Key, NamedKey } from '../../api.ts';
import { toCollectionResult } from './collections/operations.ts';
import { toEntry } from './entry.ts';
import { incompleteReply } from '../errors/error.ts';
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

export function toTxnResult(reply: TxnResponseShape): TxnResult {
  return {
    succeeded: reply.succeeded,
    results: reply.results.map(toOperationResult),
    revision: reply.revision,
  };
}

function toOperationResult({ result }: OperationResultShape): OperationResult {
  switch (result.case) {
    case 'get':
      return { kind: 'get', entry: toEntry(result.value.entry) };
    case 'put':
      return { kind: 'put', previous: toEntry(result.value.previous) };
    case 'delete':
      return { kind: 'delete', deleted: result.value.deleted, previous: toEntry(result.value.previous) };
    case 'deleteRange':
      return { kind: 'deleteRange', deletedCount: result.value.deletedCount };
    case 'increment':
      return { kind: 'increment', value: result.value.value };
    case undefined:
      throw incompleteReply('a result of an operation');
    default:
      return toCollectionResult(result);
  }
}
