/**
 * `writeFunction`: the JavaScript of a function of Lua.
 *
 * ```js
 * ($1,$2,...va)=>{if((B.stepsLeft-=1)<0)B.failSteps();const d=48+va.length;if((B.depthLeft-=d)<0)R.failDepth(d);let l=1,t;
 * try{ ... return t=...,B.depthLeft+=d,t; }catch(e){throw R.leave(e,l,C);}}
 * ```
 *
 * `B` is the budget, `C` the chunk. `l` is the line of what is being done, which an error gets when it leaves the function. The depth is given
 * back where the function returns; what catches errors sets it to what it was before.
 */
import type {
  Expression,
  FunctionBody,
  GenericFor,
  IndexExpression,
  NumericFor,
  Statement,
  Target,
  Variable,
} from '../syntax/tree.ts';
import { ExpressionWriter, isSeveral, typeOf } from './expressions.ts';
import { Frame, variableName } from './frame.ts';

/** What the captured variables of a block take, and each of them: itself, and a number that is no small integer. */
const SCOPE_BYTES = 32;
const VARIABLE_BYTES = 24;

export function writeFunction(body: FunctionBody): string {
  return new StatementWriter(body).function();
}

class StatementWriter {
  readonly #frame: Frame;
  readonly #expressions: ExpressionWriter;

  constructor(body: FunctionBody) {
    this.#frame = new Frame(body);
    this.#expressions = new ExpressionWriter(this.#frame, writeFunction);
  }

  function(): string {
    const { body } = this.#frame;
    const parameters = body.parameters.map(variableName);
    if (body.isVararg) parameters.push('...va');
    this.#frame.countVariables(body.parameters.length);
    const { argTable } = body;
    const table = argTable === undefined ? '' : this.#argTable(variableName(argTable), body);
    const code = this.#block(
      body.block,
      argTable === undefined ? body.parameters : [...body.parameters, argTable],
    );
    const last =
      body.block.at(-1)?.kind === 'return' ? '' : `${body.hasCalls ? 'B.depthLeft+=d;' : ''}return NONE;`;
    const depth = body.hasCalls
      ? `const d=${this.#frame.slots}${body.isVararg ? '+va.length' : ''};if((B.depthLeft-=d)<0)R.failDepth(d);`
      : '';
    return (
      `((${parameters.join(',')})=>{${steps(this.#frame.stepsSince(0))}${depth}` +
      `let l=${this.#frame.firstLine},t${this.#frame.temporaries};` +
      `try{${table}${code}${last}}catch(e){throw R.leave(e,l,C);}})`
    );
  }

  #argTable(name: string, body: FunctionBody): string {
    this.#frame.countVariables(1);
    return body.usesVarargs ? `let ${name};` : `let ${name}=R.argTable(va);`;
  }

  /** @param variables that it has beside those that it declares. */
  #block(block: readonly Statement[], variables: readonly Variable[] = []): string {
    const code = block.map((statement) => this.#statement(statement)).join('');
    return captured(block, variables) + code;
  }

  #statement(statement: Statement): string {
    this.#frame.nodeCount++;
    switch (statement.kind) {
      case 'local':
        return this.#lineOf(statement) + this.#local(statement.variables.map(variableName), statement);
      case 'localFunction': {
        this.#frame.countVariables(1);
        const name = variableName(statement.variable);
        return `let ${name};${name}=${this.#expressions.value({ kind: 'function', body: statement.body })};`;
      }
      case 'assign':
        return this.#lineOf(statement) + this.#assign(statement);
      case 'call':
        return `${this.#lineOf(statement)}${this.#expressions.result(statement.call)};`;
      case 'do':
        return `{${this.#block(statement.block)}}`;
      case 'while': {
        const before = this.#frame.nodeCount;
        this.#frame.forgetLine();
        const condition = this.#expressions.condition(statement.condition);
        const block = this.#block(statement.block);
        this.#frame.forgetLine();
        return `while(${condition}){${steps(this.#frame.stepsSince(before))}${block}}`;
      }
      case 'repeat': {
        const before = this.#frame.nodeCount;
        this.#frame.forgetLine();
        const block = this.#block(statement.block);
        const condition = this.#expressions.condition(statement.condition);
        this.#frame.forgetLine();
        return `for(;;){${steps(this.#frame.stepsSince(before))}${block}if(${condition})break;}`;
      }
      case 'if':
        return this.#lineOf(statement) + this.#if(statement);
      case 'numericFor':
        return `{${this.#lineOf(statement)}${this.#numericFor(statement)}}`;
      case 'genericFor':
        return `{${this.#lineOf(statement)}${this.#genericFor(statement)}}`;
      case 'return':
        return this.#lineOf(statement) + this.#return(statement.values);
      case 'break':
        return 'break;';
    }
  }

  #lineOf({ line }: { readonly line: number }): string {
    const code = this.#frame.toLine(line);
    return code === '' ? '' : `${code.slice(0, -1)};`;
  }

  #local(names: readonly string[], statement: Statement & { kind: 'local' }): string {
    const { variables, values } = statement;
    this.#frame.countVariables(names.length);
    variables.forEach((variable, index) => {
      const value = values[index];
      variable.isNumber = !variable.isAssigned && value !== undefined && typeOf(value) === 'number';
    });
    return this.#adjusted(
      names,
      values,
      (name, code) => `let ${name}${code === undefined ? '' : `=${code}`};`,
    );
  }

  /** So many values as there are names, each given to what takes it; further ones are evaluated. `undefined` is nil that no expression gives. */
  #adjusted(
    names: readonly string[],
    values: readonly Expression[],
    take: (name: string, code: string | undefined) => string,
  ): string {
    let code = '';
    values.forEach((value, index) => {
      const name = names[index];
      const isLast = index === values.length - 1;
      if (name === undefined)
        code += `${isLast ? this.#expressions.result(value) : this.#expressions.value(value)};`;
      else if (isLast && isSeveral(value) && names.length > values.length) {
        const all = this.#expressions.all(value);
        code += `t=${all};`;
        code += names
          .slice(index)
          .map((rest, offset) => take(rest, `t[${offset}]`))
          .join('');
      } else code += take(name, this.#expressions.value(value));
    });
    const last = values.at(-1);
    if (last === undefined || !isSeveral(last))
      code += names
        .slice(values.length)
        .map((name) => take(name, undefined))
        .join('');
    return code;
  }

  #assign({ targets, values, lastLine }: Statement & { kind: 'assign' }): string {
    const [target] = targets;
    const [value] = values;
    if (targets.length === 1 && values.length === 1 && target !== undefined && value !== undefined)
      return `${this.#store(target, () => this.#expressions.value(value), lastLine)};`;
    // What is assigned to is evaluated first, then the values; then all is assigned, the last first.
    const stores: ((code: string) => string)[] = [];
    let before = '';
    let temporaries = 0;
    const hold = (code: string): string => {
      const name = this.#frame.takeTemporary();
      temporaries++;
      before += `${name}=${code};`;
      return name;
    };
    for (const each of targets) {
      if (each.kind === 'index') {
        const object = hold(this.#expressions.value(each.object));
        const key = hold(this.#expressions.value(each.key));
        const name = this.#expressions.nameOf(each.object);
        stores.push(
          (code) => `R.setIndex(${object},${key},${code},${this.#expressions.atLine(lastLine, name)});`,
        );
      } else stores.push((code) => `${this.#store(each, () => code, lastLine)};`);
    }
    const names = targets.map(() => {
      temporaries++;
      return this.#frame.takeTemporary();
    });
    const code = this.#adjusted(names, values, (name, valueCode) => `${name}=${valueCode ?? 'undefined'};`);
    const assigned = stores.map((store, index) => store(names[index] ?? '')).reverse();
    this.#frame.giveBack(temporaries);
    return before + code + assigned.join('');
  }

  #store(target: Target, value: () => string, line: number): string {
    switch (target.kind) {
      case 'local':
        return `${variableName(target.variable)}=${value()}`;
      case 'global': {
        const code = value();
        return `R.setGlobal(${code},${this.#expressions.atLine(line, JSON.stringify(target.name))})`;
      }
      case 'index': {
        const object = this.#expressions.value(target.object);
        const key = this.#expressions.value(target.key);
        if (this.#expressions.isReadLate(target.object) || this.#expressions.isReadLate(target.key))
          return this.#storeLate(target, object, key, value, line);
        const code = value();
        const name = this.#expressions.nameOf(target.object);
        return `R.setIndex(${object},${key},${code},${this.#expressions.atLine(line, name)})`;
      }
    }
  }

  /** What stands in variables is read after the value was evaluated. */
  #storeLate(
    target: IndexExpression,
    object: string,
    key: string,
    value: () => string,
    line: number,
  ): string {
    let before = '';
    let count = 0;
    const hold = (code: string, isHeld: boolean): string => {
      if (!isHeld) return code;
      count++;
      const name = this.#frame.takeTemporary();
      before += `${name}=${code},`;
      return name;
    };
    const heldObject = hold(object, !this.#expressions.isReadLate(target.object));
    const heldKey = hold(key, !this.#expressions.isReadLate(target.key));
    const heldValue = hold(value(), true);
    this.#frame.giveBack(count);
    const name = this.#expressions.atLine(line, this.#expressions.nameOf(target.object));
    return `(${before}R.setIndex(${heldObject},${heldKey},${heldValue},${name}))`;
  }

  #if({ clauses, otherwise }: Statement & { kind: 'if' }): string {
    let code = '';
    for (const [index, clause] of clauses.entries()) {
      const condition = this.#expressions.condition(clause.condition);
      // The next condition is looked at on the line where this one left.
      const { line } = this.#frame;
      code += `${index === 0 ? '' : 'else '}if(${condition}){${this.#block(clause.block)}}`;
      this.#frame.line = line;
    }
    if (otherwise !== undefined) code += `else{${this.#block(otherwise)}}`;
    this.#frame.forgetLine();
    return code;
  }

  #numericFor({ variable, start, limit, step, block, doLine }: NumericFor): string {
    const { id } = variable;
    this.#frame.countVariables(5);
    const bounds = [start, limit, step ?? ONE];
    const [first = '', last = '', by = ''] = ['a', 'b', 'c'].map((letter) => `${letter}${id}`);
    let code = [first, last, by]
      .map((name, index) => `let ${name}=${this.#expressions.value(bounds[index] ?? ONE)};`)
      .join('');
    const what = ['initial', 'limit', 'step'];
    for (const [index, name] of [first, last, by].entries()) {
      if (typeOf(bounds[index] ?? ONE) === 'number') continue;
      const whatIs = index === 0 ? 'initial value' : what[index];
      code += `${name}=R.forNumber(${name},${this.#expressions.atLine(doLine, JSON.stringify(whatIs))});`;
    }
    // Lua goes one step back first, and then each one forth: with fractions that is not the start itself.
    if (!isInteger(start) || !isInteger(step ?? ONE)) code += `${first}=${first}-${by}+${by};`;
    const counter = variable.isNumber ? variableName(variable) : `i${id}`;
    const stepSign = signOf(step);
    const isUp = `${counter}<=${last}`;
    const isDown = `${counter}>=${last}`;
    const goesOn = stepSign === 0 ? `(${by}>0?${isUp}:${isDown})` : stepSign > 0 ? isUp : isDown;
    const before = this.#frame.nodeCount;
    this.#frame.forgetLine();
    const body = this.#block(block, [variable]);
    this.#frame.forgetLine();
    const own = variable.isNumber ? '' : `let ${variableName(variable)}=${counter};`;
    return `${code}for(let ${counter}=${first};${goesOn};${counter}+=${by}){${steps(this.#frame.stepsSince(before))}${own}${body}}`;
  }

  #genericFor({ variables, values, block, line }: GenericFor): string {
    const [variable] = variables;
    if (variable === undefined) throw new Error('A loop has a variable');
    this.#frame.countVariables(variables.length + 3);
    const names = ['f', 's', 'c'].map((letter) => `${letter}${variable.id}`);
    const code = this.#adjusted(
      names,
      values,
      (name, valueCode) => `const ${name}=${valueCode ?? 'undefined'};`,
    );
    const iterator = `i${variable.id}`;
    const before = this.#frame.nodeCount;
    this.#frame.forgetLine();
    const atLine = this.#frame.toLine(line);
    const taken = variables.map((each, index) => {
      const from = index === 0 ? 'first' : index === 1 ? 'second' : `further(${index})`;
      return `${variableName(each)}=${iterator}.${from}`;
    });
    const body = this.#block(block, variables);
    this.#frame.forgetLine();
    return (
      `${code}const ${iterator}=R.iterate(${names.join(',')});` +
      `while(${atLine}${iterator}.step()){${steps(this.#frame.stepsSince(before))}let ${taken.join(',')};${body}}`
    );
  }

  #return(values: readonly Expression[]): string {
    const { hasCalls } = this.#frame.body;
    const [value] = values;
    if (value === undefined) return `${hasCalls ? 'B.depthLeft+=d;' : ''}return NONE;`;
    const code =
      values.length === 1 ? this.#expressions.result(value) : `[${this.#expressions.list(values)}]`;
    return hasCalls ? `return t=${code},B.depthLeft+=d,t;` : `return ${code};`;
  }
}

const ONE: Expression = { kind: 'number', value: 1 };

function steps(count: number): string {
  return `if((B.stepsLeft-=${count})<0)B.failSteps();`;
}

/** Pays for the variables of a block that functions keep: they lie in memory of their own each time it is entered. */
function captured(block: readonly Statement[], variables: readonly Variable[]): string {
  let count = 0;
  const look = (variable: Variable): void => {
    if (variable.isCaptured) count++;
  };
  variables.forEach(look);
  for (const statement of block) {
    if (statement.kind === 'local') statement.variables.forEach(look);
    else if (statement.kind === 'localFunction') look(statement.variable);
  }
  return count === 0 ? '' : `if((B.bytesLeft-=${SCOPE_BYTES + VARIABLE_BYTES * count})<0)B.failBytes();`;
}

function isInteger(expression: Expression): boolean {
  return expression.kind === 'number' && Number.isSafeInteger(expression.value);
}

/** 1 or -1 where a step is written as a number, 0 where it is known only when it runs. */
function signOf(step: Expression | undefined): number {
  if (step === undefined) return 1;
  if (step.kind === 'number') return step.value > 0 ? 1 : -1;
  return step.kind === 'minus' && step.operand.kind === 'number' && step.operand.value > 0 ? -1 : 0;
}
