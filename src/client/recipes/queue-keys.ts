/**
 * The keys of a queue:
 *
 * | key                     | value     | lives                                  | is there when                                  |
 * | ----------------------- | --------- | -------------------------------------- | ---------------------------------------------- |
 * | `NAME/~job/ID`          | the job   | until it is done or dead               | there is such a job                            |
 * | `NAME/~claim/ID`        | nothing   | with the lease of a worker             | a worker has it                                |
 * | `NAME/~claim/ID.later`  | nothing   | for as long as the job is put off      | no worker may take it yet                      |
 * | `NAME/~attempt/ID`      | a number  | with the job                           | it was taken, so often                         |
 * | `NAME/~dead/ID`         | the job   | 30 days, unless the queue says it      | it was taken too often                         |
 * | `NAME/~seen/ID`         | nothing   | 10 minutes                             | it was enqueued: a second try of that is none  |
 * | `NAME/~idle/...`        |           | with the lease of a worker             | the worker waits for a job: see `line.ts`      |
 *
 * A job may be taken when its key is there and no claim is. Nothing has to be done for that when a worker dies, or when a job's time has come:
 * its claim is gone then.
 *
 * Ids sort in the order in which jobs are taken. They begin with a revision that the store had reached when `enqueue` was called, so that what was
 * enqueued before another `enqueue` began comes before it; then the number of the call in its queue, for calls that saw one revision.
 */
import type { Compare } from '../../api.ts';
import { prefixOf, sortable } from './names.ts';

export interface QueueKeys {
  readonly jobs: string;
  readonly claims: string;
  readonly attempts: string;
  readonly dead: string;
  readonly seen: string;
  readonly idle: string;
}

export function queueKeysOf(name: string): QueueKeys {
  return {
    jobs: prefixOf(name, 'job'),
    claims: prefixOf(name, 'claim'),
    attempts: prefixOf(name, 'attempt'),
    dead: prefixOf(name, 'dead'),
    seen: prefixOf(name, 'seen'),
    idle: prefixOf(name, 'idle'),
  };
}

/** @param chance what no other call has. */
export function jobIdOf(revision: number, call: number, chance: string): string {
  return `${sortable(revision)}-${sortable(call)}-${chance}`;
}

/** What keeps a job from being taken. */
export function claimKeysOf(
  { claims }: QueueKeys,
  id: string,
): { readonly claim: string; readonly later: string } {
  return { claim: claims + id, later: `${claims}${id}.later` };
}

export function exists(key: string, value: boolean): Compare {
  return { subject: { key }, relation: 'equal', operand: { kind: 'exists', value } };
}
