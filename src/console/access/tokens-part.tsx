/** Tokens of programs. The secret of one is shown when it is made, and never again. */
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { formatSpan, parseSpanMs } from '../bytes/text.ts';
import { access } from '../calls/server.ts';
import { nowMs } from '../page/clock.ts';
import { Dialog } from '../parts/dialog.tsx';
import { useFocus } from '../parts/focus.ts';
import { Question } from '../parts/question.tsx';
import { TextField } from '../parts/text-field.tsx';
import { type AccessLists, More } from './access-lists.tsx';
import { FormDialog } from './form-dialog.tsx';

interface TokensPartProps {
  readonly lists: AccessLists;
  /** Empty while access is open. */
  readonly ownUser: string;
  readonly onChanged: () => void;
}

type Work =
  | { readonly kind: 'new' }
  | { readonly kind: 'made'; readonly name: string; readonly secret: string }
  | { readonly kind: 'delete'; readonly name: string };

export function TokensPart({ lists, ownUser, onChanged }: TokensPartProps): JSX.Element {
  const [work, setWork] = useState<Work>();
  const leave = (): void => setWork(undefined);
  return (
    <section class="card" aria-label="Tokens">
      <header class="card-head">
        <h2>Tokens</h2>
        <button type="button" onClick={() => setWork({ kind: 'new' })}>
          New token
        </button>
      </header>
      {lists.tokens.rows.value.length > 0 && (
        <div class="table-box" tabIndex={0} role="region" aria-label="Table of tokens">
          <table class="facts-table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">User</th>
                <th scope="col">Valid for</th>
                <th scope="col">
                  <span class="unseen">What can be done</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {lists.tokens.rows.value.map(({ name, user, expireTime }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{user}</td>
                  <td>
                    <Left expireTime={expireTime} />
                  </td>
                  <td>
                    <span class="row-actions">
                      <button
                        type="button"
                        class="danger"
                        aria-label={`Delete the token ${name}`}
                        onClick={() => setWork({ kind: 'delete', name })}
                      >
                        Delete
                      </button>
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More source={lists.tokens} one="token" />
      {work?.kind === 'new' && (
        <NewToken
          ownUser={ownUser}
          onMade={(name, secret) => {
            setWork({ kind: 'made', name, secret });
            onChanged();
          }}
          onCancel={leave}
        />
      )}
      {work?.kind === 'made' && <Secret name={work.name} secret={work.secret} onClose={leave} />}
      {work?.kind === 'delete' && (
        <Question
          title="Delete this token?"
          subject={work.name}
          hint="What was begun with it ends, and programs that have it are refused."
          yes="Delete"
          act={() => access.deleteToken({ name: work.name })}
          onDone={() => {
            leave();
            onChanged();
          }}
          onCancel={leave}
        />
      )}
    </section>
  );
}

function Left({ expireTime }: { readonly expireTime: Timestamp | undefined }): JSX.Element {
  if (expireTime === undefined) return <>until it is deleted</>;
  const leftMs = Number(expireTime.seconds) * 1000 + expireTime.nanos / 1e6 - nowMs.value;
  return <>{leftMs > 0 ? formatSpan(leftMs) : 'ended'}</>;
}

interface NewTokenProps {
  readonly ownUser: string;
  readonly onMade: (name: string, secret: string) => void;
  readonly onCancel: () => void;
}

function NewToken({ ownUser, onMade, onCancel }: NewTokenProps): JSX.Element {
  const [name, setName] = useState('');
  const [user, setUser] = useState(ownUser);
  const [span, setSpan] = useState('90d');
  const [secret, setSecret] = useState('');
  const nameRef = useFocus<HTMLInputElement>();
  const ttlMs = span.trim() === '' ? 0 : parseSpanMs(span);
  async function make(ttlMs: number): Promise<void> {
    const ttl = { seconds: BigInt(Math.floor(ttlMs / 1000)), nanos: (ttlMs % 1000) * 1e6 };
    const made = await access.createToken({ name, user, ...(ttlMs > 0 && { ttl }) });
    setSecret(made.secret);
    onMade(name, made.secret);
  }
  return (
    <FormDialog
      title="New token"
      yes="Make it"
      check={() => (ttlMs === undefined ? 'It is valid for a time such as 12h or 90d.' : undefined)}
      act={() => (secret === '' ? make(ttlMs ?? 0) : Promise.resolve())}
      onDone={() => undefined}
      onCancel={onCancel}
    >
      <TextField label="Name" value={name} onValue={setName} inputRef={nameRef} />
      <TextField label="User whose rights it has" value={user} onValue={setUser} />
      <TextField
        label="Valid for; empty: until it is deleted"
        value={span}
        onValue={setSpan}
        placeholder="90d"
      />
    </FormDialog>
  );
}

interface SecretProps {
  readonly name: string;
  readonly secret: string;
  readonly onClose: () => void;
}

function Secret({ name, secret, onClose }: SecretProps): JSX.Element {
  const [copied, setCopied] = useState('');
  const copyRef = useFocus<HTMLButtonElement>();
  async function copy(): Promise<void> {
    try {
      // A page that came by plain HTTP from another machine has no clipboard.
      await navigator.clipboard.writeText(secret);
      setCopied('It is copied.');
    } catch {
      setCopied('The browser does not let this page copy; choose the text and copy it.');
    }
  }
  return (
    <Dialog title={`Token ${name}`} onClose={onClose}>
      <p>It is shown this once. Keep it in a file for --token-file, or in KELP_TOKEN.</p>
      <code class="secret" tabIndex={0} role="textbox" aria-readonly="true" aria-label="Token">
        {secret}
      </code>
      <p class="hint" role="status">
        {copied}
      </p>
      <p class="actions">
        <button ref={copyRef} type="button" class="primary" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </p>
    </Dialog>
  );
}
