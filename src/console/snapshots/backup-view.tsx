/** Downloads a backup, or says by which command one is made. */
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import { formatBytes } from '../bytes/text.ts';
import { backups, identity } from '../calls/server.ts';
import { after } from '../page/clock.ts';
import { limits } from '../page/limits.ts';
import { CopiedText } from '../parts/copied-text.tsx';
import { FailureNote } from '../parts/failure-note.tsx';
import { BackupDownload } from './backup-download.ts';

export function BackupView({ dataBytes }: { readonly dataBytes: bigint }): JSX.Element {
  const download = useMemo(
    () =>
      new BackupDownload({
        open: (signal) => backups.backup({}, { signal }),
        save: saveFile,
        nowMs: () => performance.now(),
      }),
    [],
  );
  useEffect(() => () => download.cancel(), [download]);
  const state = download.state.value;
  const isRunning = state.kind === 'running';
  return (
    <section class="card">
      <h2>Backup</h2>
      <p class="hint">
        The whole state at one revision as a file, made while writes go on; <code>kelp restore</code> makes a
        store of it. Users, roles and tokens are in it, too: keep it as you keep those. A page takes up to{' '}
        {formatBytes(limits.backupBytes)}, and has to stay open until it is whole.
      </p>
      <p class="actions">
        <button
          type="button"
          class={isRunning ? '' : 'primary'}
          onClick={() => (isRunning ? download.cancel() : void download.start())}
        >
          {isRunning ? 'Cancel' : 'Download a backup'}
        </button>
        {isRunning && <progress aria-label="The backup" />}
        <span class="done" role="status">
          {state.kind === 'running' && `${formatBytes(state.bytes)} so far`}
          {state.kind === 'saved' && `${formatBytes(state.bytes)}, whole; your browser saves it.`}
        </span>
      </p>
      {state.kind === 'failed' && <FailureNote failure={state.failure} />}
      {state.kind === 'tooLong' && (
        <p class="failure" role="alert">
          <strong>Too long.</strong> It is longer than {formatBytes(limits.backupBytes)}; nothing was saved.
          The command below has no limit.
        </p>
      )}
      {dataBytes > BigInt(limits.backupBytes) && (
        <p class="hint">
          Keys, values and history are {formatBytes(dataBytes)}: the backup may be too long for a page.
        </p>
      )}
      <CopiedText label="The same by the command" text={commandOf(identity.value?.user ?? '')} />
    </section>
  );
}

/** A name that a shell would read otherwise is left for the reader to fill in. */
function commandOf(user: string): string {
  const address = location.protocol === 'https:' ? location.origin : location.host;
  const login = user === '' ? '' : ` --user ${/^[\w.@-]+$/.test(user) ? user : 'USER'}`;
  return `kelp backup kelp.backup --address ${address}${login}`;
}

function saveFile(file: Blob): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = `kelp-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.backup`;
  link.click();
  // By then the browser has begun to save it, and may let go of it.
  after(limits.savingMs, () => URL.revokeObjectURL(url));
}
