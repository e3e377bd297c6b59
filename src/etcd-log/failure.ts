/** What the failure of a call to etcd means for a shared log. */
import { EtcdError, type EtcdErrorKind } from '../client/etcd/etcd-error.ts';
import { LogStorageError, type LogStorageErrorKind } from '../shared-log/log-storage.ts';

const kindByEtcd: Readonly<Record<EtcdErrorKind, LogStorageErrorKind>> = {
  unavailable: 'unavailable',
  compacted: 'forgotten',
  refused: 'refused',
  tooLong: 'failed',
  other: 'failed',
};

/** @returns what is to be thrown: of a signal, its reason. */
export function storageErrorOf(failure: unknown, call: 'read' | 'write', signal: AbortSignal): unknown {
  if (signal.aborted || !(failure instanceof EtcdError)) return failure;
  const { message } = failure;
  // Its quota is used up, or an operator has set it so: it takes no puts until the alarm is taken back.
  const kind = message.includes('database space exceeded') ? 'full' : kindByEtcd[failure.kind];
  // The transaction that first finds no room is done, and told to have failed.
  const isCertain = kind === 'refused' || message.includes('request is too large');
  return new LogStorageError(kind, message, {
    cause: failure,
    mayHaveLanded: call === 'write' && !isCertain,
  });
}
