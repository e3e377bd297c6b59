/** Users: their roles and passwords. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { User } from '../../../gen/kelp/v1/access_pb.ts';
import { keepLogin, loggedInAs, withPassword } from '../calls/login.ts';
import { access } from '../calls/server.ts';
import { useAct } from '../parts/act.ts';
import { FailureNote } from '../parts/failure-note.tsx';
import { useFocus } from '../parts/focus.ts';
import { Question } from '../parts/question.tsx';
import { TextField } from '../parts/text-field.tsx';
import { type AccessLists, More } from './access-lists.tsx';
import { FormDialog } from './form-dialog.tsx';

interface UsersPartProps {
  readonly lists: AccessLists;
  readonly onChanged: () => void;
}

type Work = 'new' | { readonly kind: 'password' | 'delete'; readonly name: string };

export function UsersPart({ lists, onChanged }: UsersPartProps): JSX.Element {
  const [work, setWork] = useState<Work>();
  const { failure, run } = useAct();
  const leave = (): void => setWork(undefined);
  const finish = (): void => {
    leave();
    onChanged();
  };
  const roleNames = lists.roles.rows.value.map(({ name }) => name);
  return (
    <section class="card" aria-label="Users">
      <header class="card-head">
        <h2>Users</h2>
        <button type="button" onClick={() => setWork('new')}>
          New user
        </button>
      </header>
      {lists.users.rows.value.length > 0 && (
        <div class="table-box" tabIndex={0} role="region" aria-label="Table of users">
          <table class="facts-table">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Roles</th>
                <th scope="col">Password</th>
                <th scope="col">
                  <span class="unseen">What can be done</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {lists.users.rows.value.map((user) => (
                <tr key={user.name}>
                  <th scope="row">{user.name}</th>
                  <td>
                    <RolesOf
                      user={user}
                      roleNames={roleNames}
                      onGive={(role) => run(() => access.giveRole({ user: user.name, role }), onChanged)}
                      onTake={(role) => run(() => access.takeRole({ user: user.name, role }), onChanged)}
                    />
                  </td>
                  <td>{user.hasPassword ? 'yes' : 'none'}</td>
                  <td>
                    <span class="row-actions">
                      <button
                        type="button"
                        aria-label={`Set password of ${user.name}`}
                        onClick={() => setWork({ kind: 'password', name: user.name })}
                      >
                        Set password
                      </button>
                      <button
                        type="button"
                        class="danger"
                        aria-label={`Delete the user ${user.name}`}
                        onClick={() => setWork({ kind: 'delete', name: user.name })}
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
      <More source={lists.users} one="user" />
      {work === 'new' && <NewUser roleNames={roleNames} onDone={finish} onCancel={leave} />}
      {typeof work === 'object' && work.kind === 'password' && (
        <SetPassword user={work.name} onDone={finish} onCancel={leave} />
      )}
      {typeof work === 'object' && work.kind === 'delete' && (
        <Question
          title="Delete this user?"
          subject={work.name}
          hint="Its tokens are deleted with it, and what it has begun ends."
          yes="Delete"
          act={() => access.deleteUser({ name: work.name })}
          onDone={finish}
          onCancel={leave}
        />
      )}
    </section>
  );
}

interface RolesOfProps {
  readonly user: User;
  readonly roleNames: readonly string[];
  readonly onGive: (role: string) => void;
  readonly onTake: (role: string) => void;
}

function RolesOf({ user: { name, roles }, roleNames, onGive, onTake }: RolesOfProps): JSX.Element {
  const others = roleNames.filter((role) => !roles.includes(role));
  return (
    <span class="chips">
      {name === 'root' && <span class="hint">may do everything</span>}
      {roles.map((role) => (
        <span key={role} class="chip">
          {role}
          <button
            type="button"
            class="quiet"
            aria-label={`Take the role ${role} from ${name}`}
            onClick={() => onTake(role)}
          >
            ×
          </button>
        </span>
      ))}
      {others.length > 0 && (
        <select
          aria-label={`Give a role to ${name}`}
          value=""
          onChange={(event) => {
            const role = event.currentTarget.value;
            event.currentTarget.value = '';
            if (role !== '') onGive(role);
          }}
        >
          <option value="">give a role</option>
          {others.map((role) => (
            <option key={role} value={role}>
              {role}
            </option>
          ))}
        </select>
      )}
    </span>
  );
}

interface NewUserProps {
  readonly roleNames: readonly string[];
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

function NewUser({ roleNames, onDone, onCancel }: NewUserProps): JSX.Element {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const [role, setRole] = useState('');
  const nameRef = useFocus<HTMLInputElement>();
  return (
    <FormDialog
      title="New user"
      yes="Make it"
      check={() => wrongPassword(password, repeated)}
      act={() => access.createUser({ name, password, roles: role === '' ? [] : [role] })}
      onDone={onDone}
      onCancel={onCancel}
    >
      <TextField label="Name" value={name} onValue={setName} inputRef={nameRef} />
      <TextField label="Password" type="password" value={password} onValue={setPassword} />
      <TextField label="Password again" type="password" value={repeated} onValue={setRepeated} />
      <label class="field">
        Role
        <select value={role} onChange={(event) => setRole(event.currentTarget.value)}>
          <option value="">none yet</option>
          {roleNames.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      </label>
      <p class="hint">
        {name === 'root'
          ? 'This closes access: every call needs a login from then on, and this page asks you for one.'
          : 'Without a password it comes by tokens or by a client certificate.'}
      </p>
    </FormDialog>
  );
}

interface SetPasswordProps {
  readonly user: string;
  readonly onDone: () => void;
  readonly onCancel: () => void;
}

function SetPassword({ user, onDone, onCancel }: SetPasswordProps): JSX.Element {
  const [password, setPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const fieldRef = useFocus<HTMLInputElement>();
  async function set(): Promise<void> {
    await access.setPassword({ name: user, password });
    // The page goes on with the new one where it came with the one before.
    if (loggedInAs.peek()?.user === user && password !== '') keepLogin(withPassword(user, password));
  }
  return (
    <FormDialog
      title={`Password of ${user}`}
      yes="Set it"
      check={() => wrongPassword(password, repeated)}
      act={set}
      onDone={onDone}
      onCancel={onCancel}
    >
      <TextField
        label="New password"
        type="password"
        value={password}
        onValue={setPassword}
        inputRef={fieldRef}
      />
      <TextField label="New password again" type="password" value={repeated} onValue={setRepeated} />
      <p class="hint">
        What was begun with the one before ends; tokens go on. Left empty, the user has none from then on.
      </p>
    </FormDialog>
  );
}

function wrongPassword(password: string, repeated: string): string | undefined {
  return password === repeated ? undefined : 'The two passwords differ.';
}

/** Each user may change its own. */
export function OwnPassword({ user }: { readonly user: string }): JSX.Element {
  const [isAsking, setAsking] = useState(false);
  const [isSet, setSet] = useState(false);
  return (
    <>
      <p class="actions">
        <button type="button" onClick={() => setAsking(true)}>
          Set your password
        </button>
        <span class="hint" role="status">
          {isSet ? 'It is set.' : ''}
        </span>
      </p>
      {isAsking && (
        <SetPassword
          user={user}
          onDone={() => {
            setAsking(false);
            setSet(true);
          }}
          onCancel={() => setAsking(false)}
        />
      )}
    </>
  );
}
