/** The work of `token create`, `list`, `revoke`, and of `whoami`. */
import type { Session } from '../../session/session.ts';
import { displayKey } from '../../terminal/display.ts';
import { Table } from '../../terminal/table.ts';
import { dateText, expiryText, tokenJson, whoAmIText } from './text.ts';

export interface CreateTokenFlags {
  /** Whose rights it has; left out: those of the caller. */
  readonly for?: string;
  /** In milliseconds. */
  readonly ttl?: number;
}

export async function create(
  { client, output, isJson }: Session,
  name: string,
  { for: user, ttl }: CreateTokenFlags,
): Promise<void> {
  const { secret } = await client.access.createToken(name, {
    ...(user !== undefined && { user }),
    ...(ttl !== undefined && { ttlMs: ttl }),
  });
  if (isJson) return output.writeJson({ name, ...(user !== undefined && { user }), secret });
  // It can be put into a file: what is for people goes beside it.
  await output.writeLine(secret);
  output.note('the token is shown this once; keep it in a file for --token-file, or in KELP_TOKEN');
}

export async function list({ client, output, isJson }: Session): Promise<void> {
  const tokens = await client.access.listTokens();
  if (isJson) return output.write(tokens.map((token) => `${JSON.stringify(tokenJson(token))}\n`).join(''));
  if (tokens.length === 0) return output.note('there are no tokens; kelp token create NAME makes one');
  const table = new Table([{ title: 'TOKEN' }, { title: 'USER' }, { title: 'MADE' }, { title: 'EXPIRES' }]);
  const rows = tokens.map((token) => [
    displayKey(token.name),
    displayKey(token.user),
    dateText(token.createTimeMs),
    expiryText(token),
  ]);
  await output.write(await table.format(rows));
}

export async function revoke({ client, output, isJson }: Session, name: string): Promise<void> {
  await client.access.deleteToken(name);
  if (isJson) await output.writeJson({ name });
  else await output.writeLine(`revoked token ${name}`);
}

export async function whoAmI({ client, output, isJson }: Session): Promise<void> {
  const who = await client.access.whoAmI();
  if (isJson) await output.writeJson(who);
  else await output.writeLine(whoAmIText(who));
}
