/** Roles, and what they grant. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type GrantedKeys, Permission } from '../../../gen/kelp/v1/access_pb.ts';
import { access } from '../calls/server.ts';
import { useAct } from '../parts/act.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { useFocus } from '../parts/focus.ts';
import { Question } from '../parts/question.tsx';
import { TextField } from '../parts/text-field.tsx';
import { type AccessLists, More } from './access-lists.tsx';
import { FormDialog } from './form-dialog.tsx';
import {
  type KeyForm,
  type KeysFields,
  type PermissionName,
  grantText,
  grantedKeys,
  keyForms,
  permissions,
} from './grants.ts';

interface RolesPartProps {
  readonly lists: AccessLists;
  readonly onChanged: () => void;
}

type Work = 'new' | { readonly kind: 'grant' | 'delete'; readonly name: string };

export function RolesPart({ lists, onChanged }: RolesPartProps): JSX.Element {
  const [work, setWork] = useState<Work>();
  const { failure, run } = useAct();
  const leave = (): void => setWork(undefined);
  const finish = (): void => {
    leave();
    onChanged();
  };
  const remove = (role: string, keys: GrantedKeys | undefined): void =>
    run(() => access.removeGrant({ role, ...(keys && { keys }) }), onChanged);
  return (
    <section class="card" aria-label="Roles">
      <header class="card-head">
        <h2>Roles</h2>
        <button type="button" onClick={() => setWork('new')}>
          New role
        </button>
      </header>
      {lists.roles.rows.value.length > 0 && (
        <div class="table-box" tabIndex={0} role="region" aria-label="Table of roles">
          <table class="facts-table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Grants</th>
                <th scope="col">
                  <span class="unseen">What can be done</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {lists.roles.rows.value.map(({ name, grants }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>
                    <span class="chips">
                      {grants.length === 0 && <span class="hint">nothing yet</span>}
                      {grants.map((grant, index) => (
                        <span key={index} class="chip">
                          {grantText(grant)}
                          <button
                            type="button"
                            class="quiet"
                            aria-label={`Remove ${grantText(grant)} from ${name}`}
                            onClick={() => remove(name, grant.keys)}
                          >
                            ×
                          </button>
                        </span>
                      ))}
                    </span>
                  </td>
                  <td>
                    <span class="row-actions">
                      <button
                        type="button"
                        aria-label={`Add grant to ${name}`}
                        onClick={() => setWork({ kind: 'grant', name })}
                      >
                        Add grant
                      </button>
                      <button
                        type="button"
                        class="danger"
                        aria-label={`Delete the role ${name}`}
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
      <FailureNote failure={failure} />
      <More source={lists.roles} one="role" />
      {work === 'new' && <NewRole onDone={finish} onCancel={leave} />}
      {typeof work === 'object' && work.kind === 'grant' && (
        <AddGrant role={work.name} onDone={finish} onCancel={leave} />
      )}
      {typeof work === 'object' && work.kind === 'delete' && (
        <Question
          title="Delete this role?"
          subject={work.name}
          hint="No user has it any more then, and what its grants alone allowed ends."
          yes="Delete"
          act={() => access.deleteRole({ name: work.name })}
          onDone={finish}
          onCancel={leave}
        />
      )}
    </section>
  );
}

interface FormProps {
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

function NewRole({ onDone, onCancel }: FormProps): JSX.Element {
  const [name, setName] = useState('');
  const nameRef = useFocus<HTMLInputElement>();
  return (
    <FormDialog
      title="New role"
      yes="Make it"
      act={() => access.createRole({ name })}
      onDone={onDone}
      onCancel={onCancel}
    >
      <TextField label="Name" value={name} onValue={setName} inputRef={nameRef} />
      <p class="hint">It grants nothing yet.</p>
    </FormDialog>
  );
}

const formNames: Readonly<Record<KeyForm, string>> = {
  prefix: 'keys that begin with',
  key: 'one key',
  range: 'a range of keys',
  all: 'all keys',
};

function AddGrant({ role, onDone, onCancel }: FormProps & { readonly role: string }): JSX.Element {
  const [permission, setPermission] = useState<PermissionName>('read');
  const [form, setForm] = useState<KeyForm>('prefix');
  const [text, setText] = useState('');
  const [end, setEnd] = useState('');
  const permissionRef = useFocus<HTMLSelectElement>();
  const isOfKeys = permission !== 'admin';
  const keys = isOfKeys ? grantedKeys(form, text, end) : undefined;
  async function add(keys: KeysFields | undefined): Promise<void> {
    const chosen = permissions.find(({ name }) => name === permission)?.permission ?? Permission.UNSPECIFIED;
    await access.addGrant({ role, grant: { permission: chosen, ...(keys && { keys }) } });
  }
  return (
    <FormDialog
      title={`Grant of ${role}`}
      yes="Add it"
      check={() => (typeof keys === 'string' ? keys : undefined)}
      act={() => add(typeof keys === 'string' ? undefined : keys)}
      onDone={onDone}
      onCancel={onCancel}
    >
      <label class="field">
        Right
        <select
          ref={permissionRef}
          value={permission}
          onChange={(event) => setPermission(event.currentTarget.value as PermissionName)}
        >
          {permissions.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {isOfKeys ? (
        <label class="field">
          Of
          <select value={form} onChange={(event) => setForm(event.currentTarget.value as KeyForm)}>
            {keyForms.map((each) => (
              <option key={each} value={each}>
                {formNames[each]}
              </option>
            ))}
          </select>
        </label>
      ) : (
        <p class="hint">
          Of no keys, but what is for operators: snapshots, backups, and users, roles and tokens themselves.
        </p>
      )}
      {isOfKeys && form !== 'all' && (
        <TextField
          label={form === 'range' ? 'From, inclusive; empty: the first' : form === 'key' ? 'Key' : 'Prefix'}
          value={text}
          onValue={setText}
          placeholder="config/"
        />
      )}
      {isOfKeys && form === 'range' && (
        <TextField label="To, exclusive; empty: behind the last" value={end} onValue={setEnd} />
      )}
    </FormDialog>
  );
}
