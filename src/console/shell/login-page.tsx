/** Asks for a login where access is closed. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { type Failure, failureOf } from '../calls/failure.ts';
import { keepLogin, loggedInAs, withPassword, withToken } from '../calls/login.ts';
import { identify, identity, needsLogin } from '../calls/server.ts';
import { FailureNote } from '../parts/failure-note.tsx';

export function LoginPage(): JSX.Element {
  const [way, setWay] = useState<'password' | 'token'>('password');
  const [user, setUser] = useState('');
  const [secret, setSecret] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();

  async function logIn(event: Event): Promise<void> {
    event.preventDefault();
    const login = way === 'password' ? withPassword(user, secret) : withToken(secret.trim());
    setBusy(true);
    const before = identity.peek()?.user;
    try {
      await identify(login);
      keepLogin(login);
      // What the page has read for another user is not for this one.
      if (before !== undefined && before !== identity.peek()?.user) location.reload();
      else needsLogin.value = false;
    } catch (error) {
      setFailure(failureOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form class="card login" onSubmit={(event) => void logIn(event)}>
      <h1>Log in</h1>
      <p class="hint">
        {loggedInAs.value === undefined
          ? 'Access to this server is closed. The login is kept in this tab, until you close it.'
          : 'The login does not hold any more.'}
      </p>
      <fieldset class="choice">
        <legend>With</legend>
        {(['password', 'token'] as const).map((each) => (
          <label key={each}>
            <input type="radio" name="way" checked={way === each} onChange={() => setWay(each)} />
            {each === 'password' ? 'user and password' : 'a token'}
          </label>
        ))}
      </fieldset>
      {way === 'password' && (
        <label class="field">
          User
          <input
            name="user"
            autocomplete="username"
            required
            value={user}
            onInput={(event) => setUser(event.currentTarget.value)}
          />
        </label>
      )}
      <label class="field">
        {way === 'password' ? 'Password' : 'Token'}
        <input
          name="secret"
          type="password"
          autocomplete={way === 'password' ? 'current-password' : 'off'}
          required
          value={secret}
          onInput={(event) => setSecret(event.currentTarget.value)}
        />
      </label>
      <FailureNote failure={failure} />
      <p class="actions">
        <button type="submit" class="primary" disabled={isBusy}>
          Log in
        </button>
      </p>
    </form>
  );
}
