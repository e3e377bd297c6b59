/**
 * Who the page says it is: a user with a password, or a token, as the header `authorization`, and never as a cookie, which pages of
 * others could use. It is kept for this tab alone, and goes with it.
 */
import { computed, signal } from '@preact/signals';

export interface Login {
  /** Empty with a token: the server knows whose it is. */
  readonly user: string;
  readonly authorization: string;
}

const STORED = 'kelp.login';

const login = signal<Login | undefined>(stored());

export const loggedInAs = computed(() => login.value);

export function withPassword(user: string, password: string): Login {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return { user, authorization: `Basic ${btoa(text)}` };
}

export function withToken(token: string): Login {
  return { user: '', authorization: `Bearer ${token}` };
}

export function keepLogin(given: Login): void {
  login.value = given;
  sessionStorage.setItem(STORED, JSON.stringify(given));
}

export function forgetLogin(): void {
  login.value = undefined;
  sessionStorage.removeItem(STORED);
}

function stored(): Login | undefined {
  const text = sessionStorage.getItem(STORED);
  return text === null ? undefined : (JSON.parse(text) as Login);
}
