/** What the writer is told before a connection is passed on to it: all that its client has said of itself so far. */
import { certificateText } from '../../access/forwarded-client.ts';
import { clientCertificateOf } from '../../tls/client-certificate.ts';
import type { Shown } from '../commands/session-command.ts';
import type { ClientSession } from '../commands/session-command.ts';

type Told = Pick<
  ClientSession,
  'database' | 'name' | 'protocolVersion' | 'libraryName' | 'libraryVersion' | 'options' | 'replyMode'
>;

export interface Prelude {
  /** Commands that are answered. */
  readonly prelude: readonly (readonly Buffer[])[];
  /** ... and behind them those that are not. */
  readonly silent: readonly (readonly Buffer[])[];
}

/** By the node's login, which is gone again behind it, whatever has become of it. */
export function introductionOf(
  token: string,
  { address, peer }: { readonly address: string; readonly peer: object },
): readonly (readonly Buffer[])[] {
  const certificate = clientCertificateOf(peer);
  const told = certificate === undefined ? [] : [certificateText(certificate)];
  return [words('AUTH', token), words('CLIENT', 'FORWARDED', address, ...told), words('RESET')];
}

/** @param shown the login; `undefined`: none was needed. */
export function preludeOf(session: Told, shown: Shown | undefined): Prelude {
  const { database, name, protocolVersion, libraryName, libraryVersion, options, replyMode } = session;
  const prelude: Buffer[][] = [];
  if (shown !== undefined) {
    const [userName, password] = shown;
    prelude.push(['AUTH', ...(userName === '' ? [] : [userName]), password].map((word) => Buffer.from(word)));
  }
  // Also for its greeting, which says whether that is the writer.
  prelude.push(words('HELLO', String(protocolVersion)));
  if (database !== 0) prelude.push(words('SELECT', String(database)));
  if (name !== '') prelude.push(words('CLIENT', 'SETNAME', name));
  if (libraryName !== '') prelude.push(words('CLIENT', 'SETINFO', 'LIB-NAME', libraryName));
  if (libraryVersion !== '') prelude.push(words('CLIENT', 'SETINFO', 'LIB-VER', libraryVersion));
  if (options.has('noEvict')) prelude.push(words('CLIENT', 'NO-EVICT', 'ON'));
  if (options.has('noTouch')) prelude.push(words('CLIENT', 'NO-TOUCH', 'ON'));
  const silent = replyMode === 'on' ? [] : [words('CLIENT', 'REPLY', replyMode)];
  return { prelude, silent };
}

/** Names are kept as Latin-1, a character for each byte. */
function words(...texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text, 'latin1'));
}
