/**
 * `ExpressionWriter`: the JavaScript of expressions. What is written can stand as an operand: it is a name, a literal, a call or in parentheses.
 *
 * In the code `R` is the runtime, `l` the line, `va` what `...` is, `t` holds a value that is read before anything else is evaluated, and `t1`,
 * `t2`, ... hold values for longer. Operands are evaluated before their types are looked at, since evaluating one may change another; but
 * a local variable is read last, as Lua's registers are.
 */
import type {
  ArithmeticExpression,
  CallExpression,
  ComparisonExpression,
  Expression,
  FunctionBody,
  LogicExpression,
  MethodExpression,
  TableExpression,
} from '../syntax/tree.ts';
import { cString } from '../conversions.ts';
import { type Frame, variableName } from './frame.ts';

/** Longer ones are compared by the runtime, which lets them be paid for. */
const COMPARED_IN_LINE_MAX = 64;
/** `LFIELDS_PER_FLUSH` of Lua 5.1. */
const ITEMS_OF_PART = 50;

/** What a function takes that is made. */
const FUNCTION_BYTES = 96;

const METHOD_BY_OPERATOR = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo',
  '^': 'power',
} as const;

export class ExpressionWriter {
  readonly #frame: Frame;
  readonly #writeFunction: (body: FunctionBody) => string;

  constructor(frame: Frame, writeFunction: (body: FunctionBody) => string) {
    this.#frame = frame;
    this.#writeFunction = writeFunction;
  }

  /** One value. */
  value(expression: Expression): string {
    this.#frame.nodeCount++;
    switch (expression.kind) {
      case 'nil':
        return 'undefined';
      case 'true':
      case 'false':
        return expression.kind;
      case 'number':
        return numberLiteral(expression.value);
      case 'string':
        return stringLiteral(expression.value);
      case 'varargs':
        return 'va[0]';
      case 'function':
        return `((B.bytesLeft-=${FUNCTION_BYTES})<0?B.failBytes():${this.#writeFunction(expression.body)})`;
      case 'local':
        return variableName(expression.variable);
      case 'global':
        return `R.global(${this.atLine(expression.line, stringLiteral(expression.name))})`;
      case 'index': {
        const object = this.value(expression.object);
        const key = this.value(expression.key);
        if (!isPlain(expression.key) && this.isReadLate(expression.object)) {
          const before = `t=${key},${this.#frame.toLine(expression.line)}`;
          return `(${before}R.index(${object},t,${this.nameOf(expression.object)}))`;
        }
        return `R.index(${object},${key},${this.atLine(expression.line, this.nameOf(expression.object))})`;
      }
      case 'call':
      case 'method':
        return `R.first(${this.#call(expression)})`;
      case 'paren':
        return this.value(expression.inner);
      case 'arithmetic':
        return this.#arithmetic(expression);
      case 'comparison':
      case 'not':
        return `(${this.condition(expression)})`;
      case 'concat': {
        const parts = expression.parts.map((part) => this.value(part));
        const names = expression.parts.map((part) => this.#textOfName(part));
        if (parts.length === 2) {
          const last = this.atLine(expression.line, stringLiteral(names[1] ?? ''));
          return `R.concat(${parts.join(',')},${stringLiteral(names[0] ?? '')},${last})`;
        }
        return `R.concatAll([${parts.join(',')}],${this.atLine(expression.line, stringLiteral(names.join('\0')))})`;
      }
      case 'and':
      case 'or':
        return this.#logic(expression);
      case 'minus': {
        const { code, before, isTemporary } = this.#operand(expression.operand);
        if (isTemporary) this.#frame.giveBack();
        if (typeOf(expression.operand) === 'number') return `(${before}-${code})`;
        const slow = this.#slow(expression.line, `R.negate(${code},${this.nameOf(expression.operand)})`);
        return `(${before}typeof ${code}==='number'?-${code}:${slow})`;
      }
      case 'length': {
        const operand = this.value(expression.operand);
        return `R.length(${operand},${this.atLine(expression.line, this.nameOf(expression.operand))})`;
      }
      case 'table':
        return this.#table(expression);
    }
  }

  /** All values, as a result: what a function may return. */
  result(expression: Expression): string {
    switch (expression.kind) {
      case 'call':
      case 'method':
        this.#frame.nodeCount++;
        return this.#call(expression);
      case 'varargs':
        return 'va';
      default:
        return this.value(expression);
    }
  }

  /** All values of a list, with commas between; what may be several at the end is spread. */
  list(expressions: readonly Expression[]): string {
    const last = expressions.at(-1);
    if (last === undefined) return '';
    const codes = expressions.slice(0, -1).map((expression) => this.value(expression));
    codes.push(isSeveral(last) ? `...R.spread(${this.all(last)})` : this.value(last));
    return codes.join(',');
  }

  /** An array of all values of what may be several. */
  all(expression: Expression): string {
    return expression.kind === 'varargs' ? 'va' : `R.allOf(${this.result(expression)})`;
  }

  /** What JavaScript takes for a condition. */
  condition(expression: Expression): string {
    switch (expression.kind) {
      case 'not':
        this.#frame.nodeCount++;
        return `!(${this.condition(expression.operand)})`;
      case 'and':
      case 'or': {
        this.#frame.nodeCount++;
        const left = this.condition(expression.left);
        const { line } = this.#frame;
        const right = this.condition(expression.right);
        if (this.#frame.line !== line) this.#frame.forgetLine();
        const operator = expression.kind === 'and' ? '&&' : '||';
        // `a || b || c` without parentheses: they are many where a name is compared with a list.
        const first = expression.left.kind === expression.kind ? left : `(${left})`;
        return `${first}${operator}(${right})`;
      }
      case 'paren':
        return this.condition(expression.inner);
      case 'comparison':
        this.#frame.nodeCount++;
        return this.#comparison(expression);
      case 'local': {
        const code = this.value(expression);
        return expression.variable.isNumber ? 'true' : `${code}!==undefined&&${code}!==false`;
      }
      default: {
        const code = this.value(expression);
        switch (typeOf(expression)) {
          case 'boolean':
            return code;
          case undefined:
            return `(t=${code})!==undefined&&t!==false`;
          case 'nil':
            return `(${code},false)`;
          case 'number':
          case 'string':
          case 'table':
          case 'function':
            return `(${code},true)`;
        }
      }
    }
  }

  /** A call as a statement, or one whose result is taken whole. */
  #call(call: CallExpression | MethodExpression): string {
    const callee = call.kind === 'call' ? this.#callee(call) : this.#method(call);
    const args = call.args.slice(0, -1).map((argument) => this.value(argument));
    if (callee.first !== undefined) args.unshift(callee.first);
    const last = call.args.at(-1);
    this.#frame.countArguments(args.length + 1);
    if (last === undefined) return `${callee.code}(${args.join(',')})`;
    const several = isSeveral(last);
    const code = several ? this.all(last) : this.value(last);
    // What is called is said to be called by the line of its parenthesis, and arguments may have been on other lines.
    const line = this.#frame.toLine(call.line);
    const behind = line === '' ? code : `(t=${code},${line}t)`;
    args.push(several ? `...R.spread(${behind})` : behind);
    return `${callee.code}(${args.join(',')})`;
  }

  #callee(call: CallExpression): { readonly code: string; readonly first: undefined } {
    const callee = this.value(call.callee);
    const line = this.#frame.toLine(call.line);
    const name = this.nameOf(call.callee);
    const code = isVariable(call.callee)
      ? `(${line}typeof ${callee}==='function'?${callee}:R.callee(${callee},${name}))`
      : `(t=${callee},${line}typeof t==='function'?t:R.callee(t,${name}))`;
    return { code, first: undefined };
  }

  #method(call: MethodExpression): { readonly code: string; readonly first: string } {
    let object = this.value(call.object);
    const line = this.#frame.toLine(call.line);
    let before = line;
    if (!isVariable(call.object)) {
      const temporary = this.#frame.takeTemporary();
      before = `${temporary}=${object},${line}`;
      object = temporary;
      // It is read as the first argument, before the others are evaluated.
      this.#frame.giveBack();
    }
    const method = `R.index(${object},${stringLiteral(call.name)},${this.nameOf(call.object)})`;
    const name = stringLiteral(`method '${call.name}'`);
    return { code: `(${before}typeof(t=${method})==='function'?t:R.callee(t,${name}))`, first: object };
  }

  #arithmetic({ operator, left, right, line }: ArithmeticExpression): string {
    const [a, b, before] = this.#operands(left, right);
    if (operator === '^') {
      const names = `${this.nameOf(left)},${this.atLine(line, this.nameOf(right))}`;
      return `(${before}R.power(${a},${b},${names}))`;
    }
    const quick = operator === '%' ? `${a}-floor(${a}/${b})*${b}` : `${a}${operator}${b}`;
    const checks = [left, right].flatMap((operand, index) =>
      typeOf(operand) === 'number' ? [] : [`typeof ${index === 0 ? a : b}==='number'`],
    );
    if (checks.length === 0) return `(${before}${quick})`;
    const method = METHOD_BY_OPERATOR[operator];
    const slow = `R.${method}(${a},${b},${this.nameOf(left)},${this.nameOf(right)})`;
    return `(${before}${checks.join('&&')}?${quick}:${this.#slow(line, slow)})`;
  }

  #comparison({ operator, left, right, line }: ComparisonExpression): string {
    if (operator === '==' || operator === '~=') {
      const a = this.value(left);
      const b = this.value(right);
      const sign = operator === '==' ? '' : '!';
      if (isPlain(left) || isPlain(right)) return `${a}${operator === '==' ? '===' : '!=='}${b}`;
      return this.isReadLate(left) ? `(t=${b},${sign}R.isEqual(${a},t))` : `${sign}R.isEqual(${a},${b})`;
    }
    const [a, b, before] = this.#operands(left, right);
    const checks = [left, right].flatMap((operand, index) =>
      typeOf(operand) === 'number' ? [] : [`typeof ${index === 0 ? a : b}==='number'`],
    );
    const quick = `${a}${operator}${b}`;
    if (checks.length === 0) return `(${before}${quick})`;
    // `a > b` is `b < a`, also for metamethods and messages.
    const method = operator === '<' || operator === '>' ? 'isLess' : 'isLessOrEqual';
    const slow = operator.startsWith('<') ? `R.${method}(${a},${b})` : `R.${method}(${b},${a})`;
    return `(${before}${checks.join('&&')}?${quick}:${this.#slow(line, slow)})`;
  }

  #logic(expression: LogicExpression): string {
    if (typeOf(expression.left) === 'boolean' && typeOf(expression.right) === 'boolean')
      return `(${this.condition(expression)})`;
    const left = this.value(expression.left);
    const { line } = this.#frame;
    const right = this.value(expression.right);
    if (this.#frame.line !== line) this.#frame.forgetLine();
    const isFalse = `(t=${left})===undefined||t===false`;
    return expression.kind === 'and' ? `(${isFalse}?t:${right})` : `(${isFalse}?${right}:t)`;
  }

  #table({ fields }: TableExpression): string {
    const last = fields.at(-1);
    const items = fields.filter(({ key }) => key === undefined);
    if (items.length === fields.length) return `R.newTable([${this.list(items.map(({ value }) => value))}])`;
    // As in Lua, items are set behind the fields that stand between them, in parts.
    const table = this.#frame.takeTemporary();
    const part = this.#frame.takeTemporary();
    const steps = [`${table}=R.newTable([])`, `${part}=[]`];
    let count = 0;
    for (const { key, value, line } of fields) {
      if (key !== undefined) {
        const codes = [this.value(key), this.value(value)];
        steps.push(`R.setRaw(${table},${codes.join(',')}${this.#comma(line)})`);
      } else if (value === last?.value && isSeveral(value)) {
        steps.push(`${part}=[...${part},...R.spread(${this.all(value)})]`);
      } else {
        steps.push(`${part}.push(${this.value(value)})`);
        count++;
        if (count % ITEMS_OF_PART === 0)
          steps.push(`R.setItems(${table},${count - ITEMS_OF_PART},${part}),${part}=[]`);
      }
    }
    steps.push(`R.setItems(${table},${count - (count % ITEMS_OF_PART)},${part})`);
    this.#frame.giveBack(2);
    return `(${steps.join(',')},${table})`;
  }

  /** Two operands that can be read as often as needed after what stands before them. */
  #operands(left: Expression, right: Expression): readonly [string, string, string] {
    const isRightPlain = isPlain(right) || isVariable(right);
    if (isPlain(left) || (isVariable(left) && (isRightPlain || this.#isOwn(left)))) {
      const a = this.value(left);
      const b = this.#operand(right);
      if (b.isTemporary) this.#frame.giveBack();
      return [a, b.code, b.before];
    }
    const a = this.value(left);
    const temporary = this.#frame.takeTemporary();
    const b = this.#operand(right);
    this.#frame.giveBack(b.isTemporary ? 2 : 1);
    return [temporary, b.code, `${temporary}=${a},${b.before}`];
  }

  #operand(expression: Expression): {
    readonly code: string;
    readonly before: string;
    readonly isTemporary: boolean;
  } {
    const code = this.value(expression);
    if (isPlain(expression) || isVariable(expression)) return { code, before: '', isTemporary: false };
    const temporary = this.#frame.takeTemporary();
    return { code: temporary, before: `${temporary}=${code},`, isTemporary: true };
  }

  /** A local variable that evaluating what follows may change: Lua reads it where it is used. */
  isReadLate(operand: Expression): boolean {
    const expression = bare(operand);
    return (
      expression.kind === 'local' &&
      expression.variable.isAssigned &&
      expression.variable.isCaptured &&
      this.#isOwn(expression)
    );
  }

  #isOwn(operand: Expression): boolean {
    const expression = bare(operand);
    return expression.kind === 'local' && expression.variable.owner === this.#frame.body;
  }

  /** Sets the line before a value that is evaluated last. */
  atLine(line: number, code: string): string {
    const before = this.#frame.toLine(line);
    return before === '' ? code : `(${before}${code})`;
  }

  #comma(line: number): string {
    const before = this.#frame.toLine(line);
    return before === '' ? '' : `,(${before}0)`;
  }

  #slow(line: number, code: string): string {
    const before = this.#frame.perhapsToLine(line);
    return before === '' ? code : `(${before}${code})`;
  }

  /** How messages call what an expression gives; as code, `undefined` where it has no name. */
  nameOf(expression: Expression): string {
    const name = this.#textOfName(expression);
    return name === '' ? 'undefined' : stringLiteral(name);
  }

  #textOfName(expression: Expression): string {
    switch (expression.kind) {
      case 'local':
        return `${this.#isOwn(expression) ? 'local' : 'upvalue'} '${expression.variable.name}'`;
      case 'global':
        return `global '${expression.name}'`;
      case 'index':
        return `field '${expression.key.kind === 'string' ? cString(expression.key.value) : '?'}'`;
      case 'paren':
        return this.#textOfName(expression.inner);
      // Where the left side decides nothing, the code of Lua is that of the right one.
      case 'and':
        return isAlwaysTrue(expression.left) ? this.#textOfName(expression.right) : '';
      case 'or':
        return expression.left.kind === 'nil' || expression.left.kind === 'false'
          ? this.#textOfName(expression.right)
          : '';
      default:
        return '';
    }
  }
}

/** Whether it may give none or several values at the end of a list. */
export function isSeveral(expression: Expression): boolean {
  return expression.kind === 'call' || expression.kind === 'method' || expression.kind === 'varargs';
}

/** The type that the values of an expression surely have. */
export function typeOf(
  expression: Expression,
): 'nil' | 'boolean' | 'number' | 'string' | 'table' | 'function' | undefined {
  switch (expression.kind) {
    case 'nil':
    case 'number':
    case 'string':
    case 'table':
    case 'function':
      return expression.kind;
    case 'true':
    case 'false':
    case 'comparison':
    case 'not':
      return 'boolean';
    case 'local':
      return expression.variable.isNumber ? 'number' : undefined;
    case 'arithmetic':
      return typeOf(expression.left) === 'number' && typeOf(expression.right) === 'number'
        ? 'number'
        : undefined;
    case 'minus':
      return typeOf(expression.operand) === 'number' ? 'number' : undefined;
    case 'length':
      return 'number';
    case 'paren':
      return typeOf(expression.inner);
    default:
      return undefined;
  }
}

/** A literal, which `===` compares as Lua does. */
function isPlain(expression: Expression): boolean {
  switch (expression.kind) {
    case 'nil':
    case 'true':
    case 'false':
    case 'number':
      return true;
    case 'string':
      return expression.value.length <= COMPARED_IN_LINE_MAX;
    case 'minus':
      return expression.operand.kind === 'number';
    default:
      return false;
  }
}

/** Without parentheses, which change nothing but what may be several. */
function bare(expression: Expression): Expression {
  let inner = expression;
  while (inner.kind === 'paren') inner = inner.inner;
  return inner;
}

function isAlwaysTrue({ kind }: Expression): boolean {
  return kind === 'string' || kind === 'number' || kind === 'true';
}

function isVariable(expression: Expression): boolean {
  return bare(expression).kind === 'local';
}

function numberLiteral(value: number): string {
  return Number.isFinite(value) ? String(value) : Number.isNaN(value) ? '(0/0)' : '(1/0)';
}

export function stringLiteral(value: string): string {
  return JSON.stringify(value);
}
