/**
 * The words of a command as SLOWLOG and MONITOR show them: secrets are left out, as Redis does it, and long words are cut.
 */
import type { Arguments } from '../commands/command.ts';

const REDACTED = '(redacted)';

/** Commands of which ACL DRYRUN may be given a secret. */
const MAY_SHOW_SECRETS = ['AUTH', 'HELLO', 'ACL', 'CONFIG'] as const;

/** Whether a word of a command is a secret. @param name of the command, as the table has it. */
function isSecret(name: string, args: Arguments, index: number): boolean {
  if (index === 0) return false;
  if (name === 'auth') return true;
  if (name === 'hello') return isBehindAuth(args, index);
  if (name === 'acl|setuser') return index > 1;
  if (name === 'acl|dryrun') return index > 3 && MAY_SHOW_SECRETS.some((word) => args.is(3, word));
  return name === 'config|set' && index > 2 && index % 2 === 1 && isSecretSetting(args, index - 1);
}

/** HELLO 3 AUTH name password: both words. */
function isBehindAuth(args: Arguments, index: number): boolean {
  return (index > 2 && args.is(index - 1, 'AUTH')) || (index > 3 && args.is(index - 2, 'AUTH'));
}

function isSecretSetting(args: Arguments, index: number): boolean {
  return args.is(index, 'REQUIREPASS') || args.is(index, 'MASTERAUTH') || args.is(index, 'MASTERUSER');
}

/** A word as Latin-1, of which `cut` makes what is shown of a long one. */
export function toldWord(
  name: string,
  args: Arguments,
  index: number,
  bytesMax: number,
  cut: (head: string, leftOutBytes: number) => string,
): string {
  if (isSecret(name, args, index)) return REDACTED;
  const head = args.head(index, bytesMax);
  const { length } = args.bytes(index);
  return length > bytesMax ? cut(head, length - bytesMax) : head;
}

/** In quotes, with escapes where a byte is not printable. @param text Latin-1. */
export function quoted(text: string): string {
  let quotedText = '"';
  for (let index = 0; index < text.length; index++) quotedText += escapeOf(text.charAt(index));
  return `${quotedText}"`;
}

function escapeOf(character: string): string {
  const escape = ESCAPES[character];
  if (escape !== undefined) return escape;
  if (character >= ' ' && character <= '~') return character;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
};
