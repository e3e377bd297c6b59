/**
 * From a path to what is served there. A template is a path, in which one segment may be `{key}`: `/v1/keys/{key}/increment`.
 * That segment holds what it stands for percent-encoded, so a slash in it is `%2F`.
 */
import { assert } from '../../errors.ts';

const PARAMETER = /\{[a-z_]+\}/;

/** One path, and what is done at it by method. */
export interface Resource<Operation> {
  readonly template: string;
  readonly operationByMethod: ReadonlyMap<string, Operation>;
}

export interface Route<Operation> {
  readonly resource: Resource<Operation>;
  /** What the path has in place of the parameter, still encoded; empty where the template has none. */
  readonly parameter: string;
}

interface Served<Operation> extends Resource<Operation> {
  readonly operationByMethod: Map<string, Operation>;
  readonly head: string;
  readonly tail: string;
}

export class Router<Operation extends { readonly method: string; readonly template: string }> {
  readonly #resourceByPath = new Map<string, Served<Operation>>();
  /** Those whose path has a parameter. */
  readonly #open: Served<Operation>[] = [];

  constructor(operations: readonly Operation[]) {
    for (const operation of operations) {
      const { operationByMethod } = this.#resourceOf(operation.template);
      const { method } = operation;
      assert(!operationByMethod.has(method), `${method} ${operation.template} is served once`);
      operationByMethod.set(method, operation);
    }
  }

  find(path: string): Route<Operation> | undefined {
    const fixed = this.#resourceByPath.get(path);
    if (fixed !== undefined) return { resource: fixed, parameter: '' };
    for (const resource of this.#open) {
      const { head, tail } = resource;
      const end = path.length - tail.length;
      if (end < head.length || !path.startsWith(head) || !path.endsWith(tail)) continue;
      const slashAt = path.indexOf('/', head.length);
      if (slashAt < 0 || slashAt >= end) return { resource, parameter: path.slice(head.length, end) };
    }
    return undefined;
  }

  #resourceOf(template: string): Served<Operation> {
    const [head = '', tail, ...more] = template.split(PARAMETER);
    assert(more.length === 0, 'a template has one parameter at most');
    const before =
      tail === undefined
        ? this.#resourceByPath.get(template)
        : this.#open.find((resource) => resource.template === template);
    if (before !== undefined) return before;
    const resource = { template, head, tail: tail ?? '', operationByMethod: new Map<string, Operation>() };
    if (tail === undefined) this.#resourceByPath.set(template, resource);
    else this.#open.push(resource);
    return resource;
  }
}

/** The methods of a resource, for `Allow`. */
export function allowedAt({ operationByMethod }: Resource<unknown>): string {
  const methods = [...operationByMethod.keys()];
  if (methods.includes('GET')) methods.push('HEAD');
  return [...methods, 'OPTIONS'].join(', ');
}
