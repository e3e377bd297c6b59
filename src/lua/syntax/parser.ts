/** `parse`: the tree of a source of Lua 5.1, by its grammar and with the error texts of its own parser. */
import { serverFixed } from '../../limits.ts';
import { LuaError } from '../value.ts';
import { Lexer, type Token, type TokenKind } from './lexer.ts';
import { Scopes } from './scopes.ts';
import type {
  ArithmeticOperator,
  Expression,
  FunctionBody,
  GlobalExpression,
  IndexExpression,
  LocalExpression,
  Statement,
  TableField,
  Target,
} from './tree.ts';

/** How strongly an operator binds what stands left and right of it. */
const PRIORITIES: ReadonlyMap<TokenKind, readonly [number, number]> = new Map([
  ['or', [1, 1]],
  ['and', [2, 2]],
  ['<', [3, 3]],
  ['>', [3, 3]],
  ['<=', [3, 3]],
  ['>=', [3, 3]],
  ['~=', [3, 3]],
  ['==', [3, 3]],
  ['..', [5, 4]],
  ['+', [6, 6]],
  ['-', [6, 6]],
  ['*', [7, 7]],
  ['/', [7, 7]],
  ['%', [7, 7]],
  ['^', [10, 9]],
]);
const UNARY_PRIORITY = 8;
const BLOCK_ENDS: ReadonlySet<TokenKind> = new Set(['else', 'elseif', 'end', 'until', '<eof>']);
/** The hidden variables of a loop count among those of its function. */
const FOR_VARIABLES = ['(for 1)', '(for 2)', '(for 3)'];
/** What the call of a loop's iterator takes of the registers. */
const CALL_SLOTS = 3;

/**
 * Throws a `LuaError` where it isn't Lua.
 * @param chunk the name of the chunk in messages.
 * @param pay is told the length of a source that is not too long, before it is read.
 */
export function parse(source: string, chunk: string, pay: (length: number) => void): FunctionBody {
  if (source.length > serverFixed.luaSourceBytesMax)
    throw new LuaError(`${chunk}: a script has at most ${serverFixed.luaSourceBytesMax} bytes`, 0);
  pay(source.length);
  return new Parser(source, chunk).chunk();
}

class Parser {
  readonly #lexer: Lexer;
  readonly #scopes: Scopes;
  #token: Token;
  #ahead: Token | undefined = undefined;
  /** The line of the token before the present one. */
  #lastLine = 1;
  #level = 0;
  #loopDepth = 0;

  constructor(source: string, chunk: string) {
    this.#lexer = new Lexer(source, chunk);
    this.#scopes = new Scopes((text) => this.#lexer.fail(text, undefined, this.#token.line));
    this.#token = this.#lexer.next();
  }

  chunk(): FunctionBody {
    const body = this.#scopes.openFunction(0, true);
    body.block = this.#block();
    if (this.#token.kind !== '<eof>') this.#failExpected('<eof>');
    body.lastLine = this.#token.line;
    return body;
  }

  #advance(): Token {
    const token = this.#token;
    this.#lastLine = token.line;
    this.#token = this.#ahead ?? this.#lexer.next();
    this.#ahead = undefined;
    return token;
  }

  #failNear(text: string): never {
    this.#lexer.fail(text, this.#token.shown, this.#token.line);
  }

  #failExpected(kind: TokenKind): never {
    this.#failNear(`'${kind}' expected`);
  }

  #takeIf(kind: TokenKind): boolean {
    if (this.#token.kind !== kind) return false;
    this.#advance();
    return true;
  }

  #take(kind: TokenKind): Token {
    if (this.#token.kind !== kind) this.#failExpected(kind);
    return this.#advance();
  }

  /** What closes something that was opened by a token on a line. */
  #takeClosing(kind: TokenKind, opened: TokenKind, line: number): void {
    if (this.#takeIf(kind)) return;
    if (line === this.#token.line) this.#failExpected(kind);
    this.#failNear(`'${kind}' expected (to close '${opened}' at line ${line})`);
  }

  #name(): string {
    return this.#take('<name>').text;
  }

  /** Runs what may lie in itself, not too deep. */
  #nested<T>(run: () => T): T {
    if (++this.#level > serverFixed.luaNestingMax) this.#failNesting();
    const result = run();
    this.#level--;
    return result;
  }

  #failNesting(): never {
    this.#lexer.fail('chunk has too many syntax levels', undefined, this.#token.line);
  }

  #block(): Statement[] {
    return this.#nested(() => {
      const mark = this.#scopes.open();
      const statements = this.#statements();
      this.#scopes.close(mark);
      return statements;
    });
  }

  /** The variables of the block stay declared. */
  #statements(): Statement[] {
    const statements: Statement[] = [];
    let isLast = false;
    while (!isLast && !BLOCK_ENDS.has(this.#token.kind)) {
      const statement = this.#statement();
      statements.push(statement);
      isLast = statement.kind === 'return' || statement.kind === 'break';
      this.#takeIf(';');
    }
    return statements;
  }

  #statement(): Statement {
    const { kind, line } = this.#token;
    switch (kind) {
      case 'if':
        return this.#if(line);
      case 'while': {
        this.#advance();
        const condition = this.#expression();
        this.#take('do');
        const block = this.#loopBlock();
        this.#takeClosing('end', 'while', line);
        return { kind, condition, block, line };
      }
      case 'do': {
        this.#advance();
        const block = this.#block();
        this.#takeClosing('end', 'do', line);
        return { kind, block, line };
      }
      case 'for':
        return this.#for(line);
      case 'repeat':
        return this.#repeat(line);
      case 'function':
        return this.#functionStatement(line);
      case 'local':
        this.#advance();
        return this.#takeIf('function') ? this.#localFunction(line) : this.#local(line);
      case 'return':
        return this.#return(line);
      case 'break':
        this.#advance();
        if (this.#loopDepth === 0) this.#failNear('no loop to break');
        return { kind, line };
      default:
        return this.#expressionStatement(line);
    }
  }

  #loopBlock(): Statement[] {
    this.#loopDepth++;
    const block = this.#block();
    this.#loopDepth--;
    return block;
  }

  #if(line: number): Statement {
    const clauses: { condition: Expression; block: Statement[] }[] = [];
    let otherwise: Statement[] | undefined;
    do {
      this.#advance();
      const condition = this.#expression();
      this.#take('then');
      clauses.push({ condition, block: this.#block() });
    } while (this.#token.kind === 'elseif');
    if (this.#takeIf('else')) otherwise = this.#block();
    this.#takeClosing('end', 'if', line);
    return { kind: 'if', clauses, otherwise, line };
  }

  #repeat(line: number): Statement {
    this.#advance();
    return this.#nested(() => {
      const mark = this.#scopes.open();
      this.#loopDepth++;
      const block = this.#statements();
      this.#loopDepth--;
      this.#takeClosing('until', 'repeat', line);
      // The condition sees the variables of the block.
      const condition = this.#expression();
      this.#scopes.close(mark);
      return { kind: 'repeat', block, condition, line };
    });
  }

  #for(line: number): Statement {
    this.#advance();
    const mark = this.#scopes.open();
    const name = this.#name();
    let statement: Statement;
    switch (this.#token.kind) {
      case '=':
        statement = this.#numericFor(name, line);
        break;
      case ',':
      case 'in':
        statement = this.#genericFor(name, line);
        break;
      default:
        this.#failNear("'=' or 'in' expected");
    }
    this.#takeClosing('end', 'for', line);
    this.#scopes.close(mark);
    return statement;
  }

  #numericFor(name: string, line: number): Statement {
    const hidden = this.#scopes.newVariables(FOR_VARIABLES);
    const [variable] = this.#scopes.newVariables([name]);
    if (variable === undefined) throw new Error('A loop has a variable');
    this.#advance();
    const start = this.#expression();
    this.#take(',');
    const limit = this.#expression();
    const step = this.#takeIf(',') ? this.#expression() : undefined;
    this.#scopes.declare(hidden);
    const doLine = this.#take('do').line;
    this.#scopes.declare([variable]);
    const block = this.#loopBlock();
    variable.isNumber = !variable.isAssigned;
    return { kind: 'numericFor', variable, start, limit, step, block, line, doLine };
  }

  #genericFor(name: string, line: number): Statement {
    const hidden = this.#scopes.newVariables(FOR_VARIABLES);
    const names = [name];
    while (this.#takeIf(',')) names.push(this.#name());
    const variables = this.#scopes.newVariables(names);
    this.#take('in');
    this.#scopes.body.hasCalls = true;
    const values = this.#expressions();
    this.#boundSlots(values.length + CALL_SLOTS);
    this.#scopes.declare(hidden);
    this.#take('do');
    this.#scopes.declare(variables);
    const block = this.#loopBlock();
    return { kind: 'genericFor', variables, values, block, line };
  }

  #functionStatement(line: number): Statement {
    this.#advance();
    let target: Target = this.#variable(this.#name(), this.#lastLine);
    let isMethod = false;
    while (this.#token.kind === '.' || this.#token.kind === ':') {
      isMethod = this.#advance().kind === ':';
      target = this.#field(target, this.#name());
      if (isMethod) break;
    }
    if (target.kind === 'local') target.variable.isAssigned = true;
    const body = this.#functionBody(isMethod, line);
    return { kind: 'assign', targets: [target], values: [{ kind: 'function', body }], line, lastLine: line };
  }

  #localFunction(line: number): Statement {
    const variables = this.#scopes.newVariables([this.#name()]);
    const [variable] = variables;
    if (variable === undefined) throw new Error('A function has a name');
    this.#scopes.declare(variables);
    return { kind: 'localFunction', variable, body: this.#functionBody(false, line), line };
  }

  #local(line: number): Statement {
    const names: string[] = [];
    do {
      names.push(this.#name());
      if (names.length > serverFixed.luaLocalsMax) this.#scopes.newVariables(names);
    } while (this.#takeIf(','));
    const variables = this.#scopes.newVariables(names);
    const values = this.#takeIf('=') ? this.#expressions() : [];
    this.#scopes.declare(variables);
    return { kind: 'local', variables, values, line };
  }

  #return(line: number): Statement {
    this.#advance();
    const isEmpty = BLOCK_ENDS.has(this.#token.kind) || this.#token.kind === ';';
    return { kind: 'return', values: isEmpty ? [] : this.#expressions(), line };
  }

  #expressionStatement(line: number): Statement {
    const expression = this.#primary();
    if (expression.kind === 'call' || expression.kind === 'method')
      return { kind: 'call', call: expression, line };
    const targets = [this.#asTarget(expression)];
    while (this.#takeIf(',')) {
      targets.push(this.#asTarget(this.#primary()));
      if (targets.length > serverFixed.luaNestingMax)
        this.#lexer.fail(
          `${this.#scopes.body.line === 0 ? 'main function' : `function at line ${this.#scopes.body.line}`} has more than ` +
            `${serverFixed.luaNestingMax} variables in assignment`,
          undefined,
          this.#token.line,
        );
    }
    this.#take('=');
    const values = this.#expressions();
    for (const target of targets) if (target.kind === 'local') target.variable.isAssigned = true;
    return { kind: 'assign', targets, values, line, lastLine: this.#lastLine };
  }

  #asTarget(expression: Expression): Target {
    if (expression.kind === 'local' || expression.kind === 'global' || expression.kind === 'index')
      return expression;
    this.#failNear('syntax error');
  }

  #functionBody(isMethod: boolean, line: number): FunctionBody {
    const loopDepth = this.#loopDepth;
    this.#loopDepth = 0;
    const body = this.#scopes.openFunction(line, false);
    const mark = this.#scopes.open();
    this.#take('(');
    const names = isMethod ? ['self'] : [];
    while (this.#token.kind !== ')') {
      if (this.#token.kind === '<name>') names.push(this.#name());
      else if (this.#takeIf('...')) body.isVararg = true;
      else this.#failNear("<name> or '...' expected");
      if (body.isVararg || !this.#takeIf(',')) break;
      if (this.#token.kind === ')') this.#failNear("<name> or '...' expected");
    }
    body.parameters.push(...this.#scopes.newVariables(names));
    this.#scopes.declare(body.parameters);
    if (body.isVararg) {
      const argTables = this.#scopes.newVariables(['arg']);
      body.argTable = argTables[0];
      this.#scopes.declare(argTables);
    }
    this.#take(')');
    body.block = this.#block();
    body.lastLine = this.#token.line;
    this.#takeClosing('end', 'function', line);
    this.#scopes.close(mark);
    this.#scopes.closeFunction();
    this.#loopDepth = loopDepth;
    return body;
  }

  #expressions(): Expression[] {
    const expressions = this.#listed(0);
    this.#boundSlots(expressions.length);
    return expressions;
  }

  /** @param slots of the function's registers that are taken before the first value. */
  #listed(slots: number): Expression[] {
    const expressions = [this.#expression()];
    while (this.#takeIf(',')) {
      this.#boundSlots(slots + expressions.length);
      expressions.push(this.#expression());
    }
    return expressions;
  }

  /** @param count of values that wait in registers, beside the variables. */
  #boundSlots(count: number): void {
    if (this.#scopes.localCount + count >= serverFixed.luaRegistersMax)
      this.#failNear('function or expression too complex');
  }

  #expression(limit = 0): Expression {
    return this.#nested(() => {
      let expression = this.#unary();
      for (let length = 1; ; length++) {
        const operator = this.#token.kind;
        const [left = 0, right = 0] = PRIORITIES.get(operator) ?? [];
        if (left <= limit) return expression;
        if (length > serverFixed.luaNestingMax) this.#failNesting();
        this.#advance();
        expression = this.#binary(operator, expression, this.#expression(right));
      }
    });
  }

  #binary(operator: TokenKind, left: Expression, right: Expression): Expression {
    const line = this.#lastLine;
    switch (operator) {
      case 'and':
      case 'or':
        return { kind: operator, left, right };
      case '..':
        return {
          kind: 'concat',
          parts: right.kind === 'concat' ? [left, ...right.parts] : [left, right],
          line,
        };
      case '==':
      case '~=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return { kind: 'comparison', operator, left, right, line };
      default:
        return { kind: 'arithmetic', operator: operator as ArithmeticOperator, left, right, line };
    }
  }

  #unary(): Expression {
    switch (this.#token.kind) {
      case 'not':
        this.#advance();
        return { kind: 'not', operand: this.#expression(UNARY_PRIORITY) };
      case '-':
      case '#': {
        const kind = this.#advance().kind === '-' ? 'minus' : 'length';
        const operand = this.#expression(UNARY_PRIORITY);
        return { kind, operand, line: this.#lastLine };
      }
      default:
        return this.#simple();
    }
  }

  #simple(): Expression {
    const { kind, line } = this.#token;
    switch (kind) {
      case '<number>':
        return { kind: 'number', value: this.#advance().number };
      case '<string>':
        return { kind: 'string', value: this.#advance().text };
      case 'nil':
      case 'true':
      case 'false':
        this.#advance();
        return { kind };
      case '...':
        if (!this.#scopes.body.isVararg) this.#failNear("cannot use '...' outside a vararg function");
        this.#scopes.body.usesVarargs = true;
        this.#advance();
        return { kind: 'varargs' };
      case '{':
        return this.#table();
      case 'function':
        this.#advance();
        return { kind, body: this.#functionBody(false, line) };
      default:
        return this.#primary();
    }
  }

  #primary(): Expression {
    let expression = this.#prefix();
    for (let length = 1; ; length++) {
      if (length > serverFixed.luaNestingMax) this.#failNesting();
      switch (this.#token.kind) {
        case '.':
          this.#advance();
          expression = this.#field(expression, this.#name());
          break;
        case '[': {
          this.#advance();
          const key = this.#expression();
          this.#take(']');
          expression = { kind: 'index', object: expression, key, line: this.#lastLine };
          break;
        }
        case ':': {
          this.#advance();
          const name = this.#name();
          const { line } = this.#token;
          expression = { kind: 'method', object: expression, name, args: this.#arguments(2), line };
          break;
        }
        case '(':
        case '<string>':
        case '{': {
          const { line } = this.#token;
          expression = { kind: 'call', callee: expression, args: this.#arguments(1), line };
          break;
        }
        default:
          return expression;
      }
    }
  }

  #prefix(): Expression {
    const { kind, line } = this.#token;
    if (kind === '<name>') return this.#variable(this.#advance().text, line);
    if (kind !== '(') this.#failNear('unexpected symbol');
    this.#advance();
    const inner = this.#expression();
    this.#takeClosing(')', '(', line);
    return { kind: 'paren', inner };
  }

  /** @param slots for what is called, and for what it is a method of. */
  #arguments(slots: number): Expression[] {
    this.#scopes.body.hasCalls = true;
    const { kind, line } = this.#token;
    switch (kind) {
      case '<string>':
        return [{ kind: 'string', value: this.#advance().text }];
      case '{':
        return [this.#table()];
      case '(': {
        if (line !== this.#lastLine) this.#failNear('ambiguous syntax (function call x new statement)');
        this.#advance();
        if (this.#takeIf(')')) return [];
        const args = this.#listed(slots);
        this.#takeClosing(')', '(', line);
        this.#boundSlots(slots + args.length);
        return args;
      }
      default:
        this.#failNear('function arguments expected');
    }
  }

  #table(): Expression {
    const { line } = this.#token;
    this.#take('{');
    const fields: TableField[] = [];
    while (this.#token.kind !== '}') {
      fields.push(this.#tableField());
      if (!this.#takeIf(',') && !this.#takeIf(';')) break;
    }
    this.#takeClosing('}', '{', line);
    return { kind: 'table', fields };
  }

  #tableField(): TableField {
    if (this.#token.kind === '[') {
      this.#advance();
      const key = this.#expression();
      this.#take(']');
      this.#take('=');
      return this.#fieldOf(key);
    }
    if (this.#token.kind === '<name>') {
      this.#ahead = this.#lexer.next();
      if (this.#ahead.kind === '=') {
        const key: Expression = { kind: 'string', value: this.#name() };
        this.#advance();
        return this.#fieldOf(key);
      }
    }
    return this.#fieldOf(undefined);
  }

  #fieldOf(key: Expression | undefined): TableField {
    const value = this.#expression();
    return { key, value, line: this.#lastLine };
  }

  #field(object: Expression, name: string): IndexExpression {
    return { kind: 'index', object, key: { kind: 'string', value: name }, line: this.#lastLine };
  }

  #variable(name: string, line: number): LocalExpression | GlobalExpression {
    const variable = this.#scopes.find(name);
    return variable === undefined ? { kind: 'global', name, line } : { kind: 'local', variable };
  }
}
