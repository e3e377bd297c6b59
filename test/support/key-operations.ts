/** Operations of transactions as models of plain keys know them. */
import type { KeyOperation, KeyResult, Operation, OperationResult } from '../../src/api.ts';

const kinds: readonly string[] = ['get', 'put', 'delete', 'deleteRange', 'increment'];

export function keyOperation(operation: Operation): KeyOperation {
  if (!kinds.includes(operation.kind)) throw new Error(`the model has no ${operation.kind}`);
  return operation as KeyOperation;
}

export function keyResult(result: OperationResult): KeyResult {
  if (!kinds.includes(result.kind)) throw new Error(`the model has no ${result.kind}`);
  return result as KeyResult;
}
