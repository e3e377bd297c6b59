/** The work of `sketch hll-add`, `hll-count`, `hll-merge`, `bloom-create`, `bloom-add`, `bloom-contains`. */
import { given } from '../../../arguments/shape.ts';
import { type ExitCode, exitCode } from '../../process/exit-code.ts';
import { UsageError } from '../../../shell-words/usage-error.ts';
import type { Session } from '../../session/session.ts';
import { writeAnswers } from './printing.ts';

export async function hllAdd(
  session: Session,
  key: string,
  elements: string[],
  flags: { readonly ttl?: number },
): Promise<void> {
  const { client, output, isJson, keys } = session;
  const result = await client.sketch.hllAdd(keys.read(key), elements, given({ ttlMs: flags.ttl }));
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`${result.changed ? 'changed' : 'as it was'}, revision ${result.revision}`);
}

export async function hllCount(
  session: Session,
  typed: string[],
  flags: { readonly revision?: number },
): Promise<void> {
  const { client, output, isJson, keys } = session;
  const answer = await client.sketch.hllCount(typed.map(keys.read), given(flags));
  if (isJson) await output.writeJson(answer);
  else await output.writeLine(String(answer.count));
}

export async function hllMerge(session: Session, key: string, sources: string[]): Promise<void> {
  const { client, keys } = session;
  await writeRevision(session, await client.sketch.hllMerge(keys.read(key), sources.map(keys.read)));
}

async function writeRevision(
  { output, isJson }: Session,
  result: { readonly revision: number },
): Promise<void> {
  if (isJson) await output.writeJson(result);
  else await output.writeLine(`revision ${result.revision}`);
}

export interface BloomCreateFlags {
  readonly errorRate?: number;
  readonly capacity?: number;
  readonly expansion?: number;
  readonly nonScaling?: boolean;
  readonly ttl?: number;
}

export async function bloomCreate(session: Session, key: string, flags: BloomCreateFlags): Promise<void> {
  const { client, keys } = session;
  const { ttl, ...ofFilter } = flags;
  const { errorRate } = ofFilter;
  if (errorRate !== undefined && !(errorRate > 0 && errorRate < 1)) {
    throw new UsageError('--error-rate must be above 0 and below 1');
  }
  const options = { ...given(ofFilter), ...given({ ttlMs: ttl }) };
  await writeRevision(session, await client.sketch.bloomCreate(keys.read(key), options));
}

export async function bloomAdd(
  session: Session,
  key: string,
  elements: string[],
  flags: { readonly ttl?: number },
): Promise<void> {
  const { client, keys } = session;
  const result = await client.sketch.bloomAdd(keys.read(key), elements, given({ ttlMs: flags.ttl }));
  await writeAnswers(session, { typed: elements, answers: result.added, titles: ['ELEMENT', 'NEW'] }, result);
}

export async function bloomContains(
  session: Session,
  key: string,
  elements: string[],
  flags: { readonly revision?: number },
): Promise<ExitCode> {
  const { client, keys } = session;
  const result = await client.sketch.bloomContains(keys.read(key), elements, given(flags));
  const { contained } = result;
  await writeAnswers(
    session,
    { typed: elements, answers: contained, titles: ['ELEMENT', 'MAY BE THERE'] },
    result,
  );
  return contained.every(Boolean) ? exitCode.ok : exitCode.no;
}
