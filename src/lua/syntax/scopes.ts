/** `Scopes`: which variable a name means where the parser is, and Lua's limits on variables. */
import { serverFixed } from '../../limits.ts';
import type { FunctionBody, Variable } from './tree.ts';

export class Scopes {
  /** Of each name its variables, the innermost last. */
  readonly #variablesByName = new Map<string, Variable[]>();
  /** Those that hold here, of all functions. */
  readonly #active: Variable[] = [];
  readonly #fail: (text: string) => never;
  readonly #functions: { readonly body: FunctionBody; localCount: number }[] = [];
  #nextId = 1;

  /** @param fail with a text about the function that has too many of something. */
  constructor(fail: (text: string) => never) {
    this.#fail = fail;
  }

  /** The function that the parser is in. */
  get body(): FunctionBody {
    const innermost = this.#functions.at(-1);
    if (innermost === undefined) throw new Error('There is no function yet');
    return innermost.body;
  }

  /** The variables that hold here, of the innermost function. */
  get localCount(): number {
    return this.#functions.at(-1)?.localCount ?? 0;
  }

  openFunction(line: number, isVararg: boolean): FunctionBody {
    const body: FunctionBody = {
      parameters: [],
      isVararg,
      argTable: undefined,
      usesVarargs: false,
      hasCalls: false,
      parent: this.#functions.at(-1)?.body,
      line,
      lastLine: line,
      upvalues: new Set(),
      block: [],
    };
    this.#functions.push({ body, localCount: 0 });
    return body;
  }

  closeFunction(): void {
    this.#functions.pop();
  }

  /** What `close` takes to forget the variables that come after. */
  open(): number {
    return this.#active.length;
  }

  close(mark: number): void {
    const closed = this.#active.splice(mark);
    for (const variable of closed) this.#variablesByName.get(variable.name)?.pop();
    const innermost = this.#functions.at(-1);
    if (innermost !== undefined) innermost.localCount -= closed.length;
  }

  /** New variables of the function; they hold once they are declared. */
  newVariables(names: readonly string[]): Variable[] {
    const innermost = this.#functions.at(-1);
    const count = (innermost?.localCount ?? 0) + names.length;
    if (count > serverFixed.luaLocalsMax)
      this.#failLimit(this.body, serverFixed.luaLocalsMax, 'local variables');
    return names.map((name) => ({
      id: this.#nextId++,
      name,
      owner: this.body,
      isAssigned: false,
      isCaptured: false,
      isNumber: false,
    }));
  }

  declare(variables: readonly Variable[]): void {
    for (const variable of variables) {
      this.#active.push(variable);
      const same = this.#variablesByName.get(variable.name);
      if (same === undefined) this.#variablesByName.set(variable.name, [variable]);
      else same.push(variable);
    }
    const innermost = this.#functions.at(-1);
    if (innermost !== undefined) innermost.localCount += variables.length;
  }

  /** The variable that a name means; undefined: it is a global. */
  find(name: string): Variable | undefined {
    const variable = this.#variablesByName.get(name)?.at(-1);
    if (variable === undefined) return undefined;
    for (let index = this.#functions.length - 1; index >= 0; index--) {
      const body = this.#functions[index]?.body;
      if (body === undefined || body === variable.owner) break;
      variable.isCaptured = true;
      body.upvalues.add(variable);
      if (body.upvalues.size > serverFixed.luaUpvaluesMax)
        this.#failLimit(body, serverFixed.luaUpvaluesMax, 'upvalues');
    }
    return variable;
  }

  #failLimit(body: FunctionBody, limit: number, what: string): never {
    const whose = body.line === 0 ? 'main function' : `function at line ${body.line}`;
    this.#fail(`${whose} has more than ${limit} ${what}`);
  }
}
