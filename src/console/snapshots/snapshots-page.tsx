/** What there is on the server's disk beside the log, and a backup to take away. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { StatusResponse, StorageRun } from '../../../gen/kelp/v1/admin_pb.ts';
import { formatBytes, formatCount } from '../bytes/text.ts';
import { admin, unreachable } from '../calls/server.ts';
import { limits } from '../page/limits.ts';
import { useAct } from '../parts/act.ts';
import { Fact } from '../parts/facts.tsx';
import { FailureNote } from '../parts/failure-note.tsx';
import { MissingRight } from '../parts/missing-right.tsx';
import { useOperator } from '../parts/operator.ts';
import { usePolled } from '../parts/polled.ts';
import { BackupView } from './backup-view.tsx';

export function SnapshotsPage(): JSX.Element {
  const { value: status, failure, readNow } = usePolled((signal) => admin.status({}, { signal }));
  const operator = useOperator();
  const isOperator = operator.value === true;
  return (
    <div class="overview narrow" aria-busy={status === undefined}>
      <h1>Snapshots and backup</h1>
      {unreachable.value === undefined && <FailureNote failure={failure} />}
      <MissingRight failure={operator.failure} what="Making snapshots and backups is" right="admin" />
      {status !== undefined && (
        <>
          {status.storage === undefined ? (
            <Snapshots status={status} isOperator={isOperator} onDone={readNow} />
          ) : (
            <EngineFiles status={status} isOperator={isOperator} onDone={readNow} />
          )}
          {isOperator && <BackupView dataBytes={status.dataBytes} />}
        </>
      )}
    </div>
  );
}

interface PartProps {
  readonly status: StatusResponse;
  readonly isOperator: boolean;
  readonly onDone: () => void;
}

function Snapshots({ status, isOperator, onDone }: PartProps): JSX.Element {
  const { snapshotCount, snapshotBytes, snapshotRevision, revision, logBytes, segmentCount } = status;
  return (
    <section class="card">
      <h2>Snapshots</h2>
      <p class="hint">
        The state of the store at a revision, on the disk of the server: a start reads the newest one and the
        log behind it. They are made by themselves, too.
      </p>
      <dl class="facts">
        <Fact name="Snapshots">{formatCount(snapshotCount)}</Fact>
        <Fact name="Size">{formatBytes(snapshotBytes)}</Fact>
        <Fact name="Newest at revision">
          {snapshotCount === 0 ? 'none yet' : formatCount(snapshotRevision)}
        </Fact>
        <Fact name="Revision of the store">{formatCount(revision)}</Fact>
        <Fact name="Log">
          {formatBytes(logBytes)}, {segmentCount} {segmentCount === 1 ? 'segment' : 'segments'}
        </Fact>
      </dl>
      {isOperator && <MakeSnapshot word="snapshot" onDone={onDone} />}
    </section>
  );
}

function EngineFiles({ status, isOperator, onDone }: PartProps): JSX.Element | null {
  const { storage, engine, revision } = status;
  if (storage === undefined) return null;
  return (
    <section class="card">
      <h2>Files of the engine {engine}</h2>
      <p class="hint">
        With an engine on disk there are no snapshots: a checkpoint brings what is in memory to the files of
        the engine. They are made by themselves, too. Revisions before the newest one can't be read any more.
      </p>
      <dl class="facts">
        <Fact name="Checkpoint at revision">
          {storage.revision === 0n ? 'none yet' : formatCount(storage.revision)}
        </Fact>
        <Fact name="Revision of the store">{formatCount(revision)}</Fact>
        <Fact name="Not in files yet">{formatBytes(storage.unsealedBytes + storage.sealedBytes)}</Fact>
        <Fact name="On disk">{formatBytes(storage.diskBytes)}</Fact>
        <Fact name="Live">{formatBytes(storage.liveBytes)}</Fact>
        <Fact name="Being merged">{formatBytes(storage.mergingBytes)}</Fact>
      </dl>
      {storage.runs.length > 0 && <Files runs={storage.runs} />}
      {isOperator && (
        <>
          <MakeSnapshot word="checkpoint" onDone={onDone} />
          <MergeFiles onDone={onDone} />
        </>
      )}
    </section>
  );
}

function Files({ runs }: { readonly runs: readonly StorageRun[] }): JSX.Element {
  const isCut = runs.length > limits.engineFiles;
  return (
    <>
      <div class="table-box" tabIndex={0} role="region" aria-label="Files, the oldest first">
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">Size</th>
              <th scope="col">Live</th>
              <th scope="col">Records</th>
            </tr>
          </thead>
          <tbody>
            {runs.slice(0, limits.engineFiles).map(({ name, bytes, liveBytes, recordCount }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{formatBytes(bytes)}</td>
                <td>{formatBytes(liveBytes)}</td>
                <td>{formatCount(recordCount)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {isCut && <p class="hint">And {formatCount(runs.length - limits.engineFiles)} more.</p>}
    </>
  );
}

interface MakeSnapshotProps {
  readonly word: 'snapshot' | 'checkpoint';
  readonly onDone: () => void;
}

function MakeSnapshot({ word, onDone }: MakeSnapshotProps): JSX.Element {
  const { isBusy, failure, run } = useAct();
  const [made, setMade] = useState('');
  function make(): void {
    run(
      () => admin.snapshot({}, { timeoutMs: limits.longCallMs }),
      ({ revision, bytes }) => {
        setMade(`It holds revision ${formatCount(revision)}, ${formatBytes(bytes)}.`);
        onDone();
      },
    );
  }
  return (
    <>
      <p class="actions">
        <button type="button" class="primary" disabled={isBusy} onClick={make}>
          {isBusy ? `Making a ${word}` : `Make a ${word} now`}
        </button>
        <span class="done" role="status">
          {made}
        </span>
      </p>
      <FailureNote failure={failure} />
    </>
  );
}

function MergeFiles({ onDone }: { readonly onDone: () => void }): JSX.Element {
  const { isBusy, failure, run } = useAct();
  const [merged, setMerged] = useState('');
  function merge(): void {
    run(
      () => admin.compactStorage({}, { timeoutMs: limits.longCallMs }),
      ({ diskBytesBefore, diskBytes }) => {
        setMerged(`${formatBytes(diskBytesBefore)} before, ${formatBytes(diskBytes)} now.`);
        onDone();
      },
    );
  }
  return (
    <>
      <p class="actions">
        <button type="button" disabled={isBusy} onClick={merge}>
          {isBusy ? 'Merging the files' : 'Merge the files'}
        </button>
        <span class="done" role="status">
          {merged}
        </span>
      </p>
      <FailureNote failure={failure} />
    </>
  );
}
