/**
 * Commands of Redis that log in or set a password. The shell has none of them, but people type them, secret and all: such a line is
 * not kept, and its answer says how to log in.
 */
const loginNames = ['AUTH', 'HELLO', 'ACL', 'LOGIN'];

export function isLoginName(typed: string): boolean {
  return loginNames.includes(typed.toUpperCase());
}

/** By its first word, in quotes or not. */
export function mayHoldSecret(line: string): boolean {
  const [, word = ''] = /^["']?([A-Za-z]+)/.exec(line) ?? [];
  return isLoginName(word);
}
