/** The password that a user is to have: asked for twice on a terminal, since it is not seen, or read from standard input. */
import { UsageError } from '../../shell-words/usage-error.ts';
import { readPasswordInput } from './secret-input.ts';
import { type Desk, askSecrets, canAsk } from './secret-prompt.ts';

export interface NewPasswordFlags {
  /** False: there is to be none. */
  readonly password: boolean;
  /** It is on standard input. */
  readonly passwordStdin?: boolean;
}

/**
 * @param subject what is asked for, such as "password for alice".
 * @returns `undefined` for none. Throws a `UsageError` where it is not clear what the password is.
 */
export async function newPassword(
  subject: string,
  { password, passwordStdin }: NewPasswordFlags,
  desk: Desk,
): Promise<string | undefined> {
  if (!password) return undefined;
  if (passwordStdin === true) return readPasswordInput(desk.stdin);
  if (!canAsk(desk)) {
    throw new UsageError(
      `there is no terminal to ask for the ${subject}; give it with --password-stdin, or --no-password for none`,
    );
  }
  const [typed, again] = await askSecrets([subject, `${subject} once more`], desk);
  if (typed === again) return typed;
  throw new UsageError('the two are not the same; nothing was changed');
}
