/**
 * One thing that an HTTP interface does: a method at a path. Its parameters and body are read and checked before it runs, so
 * that it has the store's call to make and a reply to write.
 *
 *     const getKey = operation({
 *       method: 'GET',
 *       template: '/v1/keys/{key}',
 *       countsAs: 'Get',
 *       runsAt: 'caughtUp',
 *       query: { revision: wholeNumberParameter },
 *       needs: (login, call) => checkKey(login, 'read', call.pathKey),
 *       run(call, { revision = 0 }) {
 *         const { entry } = call.store.getVisible(call.pathKey, revision);
 *         ...
 *         call.send(200, ['content-type', 'application/octet-stream'], entry.value);
 *       },
 *     });
 *
 * What it throws, or what its promise rejects with, becomes the reply by the interface's form of errors.
 */
import type { Login } from '../../access/login/login.ts';
import type { RunsAt } from '../cluster/cluster-doors.ts';
import type { BodyLimit } from './body-reader.ts';
import type { Problem } from './problem.ts';
import type { QueryOf, QueryTable } from './query.ts';
import type { RestCall } from './rest-call.ts';

export interface BodyRules extends BodyLimit {
  /** Types of content that it may have, without parameters, of which the first is taken for one without; left out: any. */
  readonly types?: readonly [string, ...string[]];
}

export interface OperationSpec<Table extends QueryTable> {
  /** That of `GET` answers `HEAD`, too: what it sends goes without its body. */
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly template: string;
  /** The method under which metrics count it, such as `Get`: of `methodNames` in `metrics/routes.ts`, that of kelp.v1 which does the same. */
  readonly countsAs: string;
  /** Where in a cluster. */
  readonly runsAt: RunsAt;
  readonly query: Table;
  /** Left out: it takes none. */
  readonly body?: BodyRules;
  /** A reply without a natural end: it is ended when the server stops. */
  readonly isStream?: boolean;
  /** It answers while there is no store: while the server recovers, and as it stops. */
  readonly needsNoStore?: boolean;
  /** Asked by what watches over the server: it is answered also when there are calls too many, and is in no trace. */
  readonly isProbe?: boolean;
  /**
   * Throws unless its caller may do it; asked before the body is read, and again when the operation runs. Of a stream it is asked again
   * after each change of access. What the body alone says, the operation asks for itself. `open`: it is for everybody.
   */
  readonly needs: 'open' | OperationNeeds<Table>;
  /** Writes what went wrong before its reply has begun; left out: as all of the interface do. */
  writeProblem?(call: RestCall, problem: Problem): void;
  run(call: RestCall, query: QueryOf<Table>): void | Promise<void>;
}

export type OperationNeeds<Table extends QueryTable> = (
  login: Login,
  call: RestCall,
  query: QueryOf<Table>,
) => void;

export interface Operation extends Omit<OperationSpec<QueryTable>, 'needs' | 'run'> {
  readonly needs: 'open' | ((login: Login, call: RestCall, query: object) => void);
  run(call: RestCall, query: object): void | Promise<void>;
}

export function operation<const Table extends QueryTable>(spec: OperationSpec<Table>): Operation {
  return spec;
}
