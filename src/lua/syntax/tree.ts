/** The tree of a chunk: what the parser makes and the generator reads. Names are resolved to variables. */

/** A local variable; it is an upvalue in functions other than its own. */
export interface Variable {
  /** Unique in the chunk. */
  readonly id: number;
  readonly name: string;
  readonly owner: FunctionBody;
  /** Something is assigned to it after its declaration. */
  isAssigned: boolean;
  /** A function in its own uses it. */
  isCaptured: boolean;
  /** It has a number from its declaration on, and nothing else is assigned. */
  isNumber: boolean;
}

export interface FunctionBody {
  readonly parameters: Variable[];
  isVararg: boolean;
  /** Lua 5.0's table of the further arguments, which 5.1 makes where `...` itself is not used. */
  argTable: Variable | undefined;
  usesVarargs: boolean;
  /** It calls others itself: what its frame takes of the stack is counted. */
  hasCalls: boolean;
  /** The function around it; undefined of the chunk itself. */
  readonly parent: FunctionBody | undefined;
  /** 0 of the chunk itself. */
  readonly line: number;
  lastLine: number;
  /** Variables of functions around it that it or functions in it use. */
  readonly upvalues: Set<Variable>;
  block: readonly Statement[];
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^';
export type ComparisonOperator = '==' | '~=' | '<' | '<=' | '>' | '>=';

/** `line` is where an error is said to be. */
export type Expression =
  | { readonly kind: 'nil' | 'true' | 'false' | 'varargs' }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'function'; readonly body: FunctionBody }
  | LocalExpression
  | GlobalExpression
  | IndexExpression
  | CallExpression
  | MethodExpression
  /** One value of what may be several. */
  | { readonly kind: 'paren'; readonly inner: Expression }
  | ArithmeticExpression
  | ComparisonExpression
  | { readonly kind: 'concat'; readonly parts: readonly Expression[]; readonly line: number }
  | LogicExpression
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'minus' | 'length'; readonly operand: Expression; readonly line: number }
  | TableExpression;

export interface LocalExpression {
  readonly kind: 'local';
  readonly variable: Variable;
}

export interface GlobalExpression {
  readonly kind: 'global';
  readonly name: string;
  readonly line: number;
}

export interface IndexExpression {
  readonly kind: 'index';
  readonly object: Expression;
  readonly key: Expression;
  readonly line: number;
}

export interface CallExpression {
  readonly kind: 'call';
  readonly callee: Expression;
  readonly args: readonly Expression[];
  readonly line: number;
}

export interface MethodExpression {
  readonly kind: 'method';
  readonly object: Expression;
  readonly name: string;
  readonly args: readonly Expression[];
  readonly line: number;
}

export interface ArithmeticExpression {
  readonly kind: 'arithmetic';
  readonly operator: ArithmeticOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly line: number;
}

export interface ComparisonExpression {
  readonly kind: 'comparison';
  readonly operator: ComparisonOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly line: number;
}

export interface LogicExpression {
  readonly kind: 'and' | 'or';
  readonly left: Expression;
  readonly right: Expression;
}

export interface TableExpression {
  readonly kind: 'table';
  readonly fields: readonly TableField[];
}

/** Without a key: the next element. */
export interface TableField {
  readonly key: Expression | undefined;
  readonly value: Expression;
  readonly line: number;
}

export type Target = LocalExpression | GlobalExpression | IndexExpression;

export type Statement =
  | {
      readonly kind: 'local';
      readonly variables: readonly Variable[];
      readonly values: readonly Expression[];
      readonly line: number;
    }
  | {
      readonly kind: 'localFunction';
      readonly variable: Variable;
      readonly body: FunctionBody;
      readonly line: number;
    }
  | {
      readonly kind: 'assign';
      readonly targets: readonly Target[];
      readonly values: readonly Expression[];
      readonly line: number;
      readonly lastLine: number;
    }
  | { readonly kind: 'call'; readonly call: CallExpression | MethodExpression; readonly line: number }
  | { readonly kind: 'do'; readonly block: readonly Statement[]; readonly line: number }
  | {
      readonly kind: 'while';
      readonly condition: Expression;
      readonly block: readonly Statement[];
      readonly line: number;
    }
  | {
      readonly kind: 'repeat';
      readonly block: readonly Statement[];
      readonly condition: Expression;
      readonly line: number;
    }
  | {
      readonly kind: 'if';
      readonly clauses: readonly { readonly condition: Expression; readonly block: readonly Statement[] }[];
      readonly otherwise: readonly Statement[] | undefined;
      readonly line: number;
    }
  | NumericFor
  | GenericFor
  | { readonly kind: 'return'; readonly values: readonly Expression[]; readonly line: number }
  | { readonly kind: 'break'; readonly line: number };

export interface NumericFor {
  readonly kind: 'numericFor';
  readonly variable: Variable;
  readonly start: Expression;
  readonly limit: Expression;
  readonly step: Expression | undefined;
  readonly block: readonly Statement[];
  readonly line: number;
  /** Where its bounds are looked at. */
  readonly doLine: number;
}

export interface GenericFor {
  readonly kind: 'genericFor';
  readonly variables: readonly Variable[];
  readonly values: readonly Expression[];
  readonly block: readonly Statement[];
  readonly line: number;
}
