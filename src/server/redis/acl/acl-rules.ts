/**
 * The rules of ACL SETUSER, one after the other, as Redis applies them. What they come to at the end has to be something that roles
 * can say (`user-words.ts`), or it is refused as a whole: a user is never allowed more than its words say, nor less in silence.
 */
import { isUtf8 } from 'node:buffer';
import type { Category } from '../commands/command.ts';
import type { TableRow } from '../commands/table.ts';
import { fixed } from '../../../limits.ts';
import { aclNotCarried, aclRuleRefused, aclTexts } from '../replies/errors.ts';
import { addTo, allKeyGrants, type KeyGrant, patternGrant, type UserWords } from './user-words.ts';

/** What is done with the password, in order. Texts are UTF-8. */
export type PasswordStep =
  { readonly kind: 'clear' } | { readonly kind: 'add' | 'remove'; readonly text: string };

/** What the rules come to. */
export interface RuledUser {
  readonly isAdmin: boolean;
  readonly keys: ReadonlyMap<string, KeyGrant>;
  readonly passwordSteps: readonly PasswordStep[];
  /** Nothing of what there was before stays. */
  readonly isReset: boolean;
}

/**
 * Throws a `ReplyError` for a rule that is wrong, and for what can't be kept.
 * @param before `undefined`: the user is new.
 * @param rules Latin-1.
 * @param rows of all commands.
 */
export function applyRules(
  before: UserWords | undefined,
  rules: readonly string[],
  rows: readonly TableRow[],
): RuledUser {
  const user = new UserInRules(before, new CommandSet(rows));
  for (const rule of rules) user.apply(rule);
  return user.settle();
}

class UserInRules {
  #isOn: boolean;
  #hasNoPass = false;
  #isReset = false;
  #hasAllChannels = true;
  #keys: Map<string, KeyGrant>;
  /** Of patterns, before the first rule. */
  readonly #foundCount: number;
  #hasAllKeys: boolean;
  readonly #commands: CommandSet;
  readonly #passwordSteps: PasswordStep[] = [];

  constructor(before: UserWords | undefined, commands: CommandSet) {
    this.#isOn = before !== undefined;
    this.#keys = new Map(before?.keys);
    this.#foundCount = this.#keys.size;
    this.#hasAllKeys = [...allKeyGrants].every(([id]) => {
      const grant = this.#keys.get(id);
      return grant?.mayRead === true && grant.mayWrite;
    });
    this.#commands = commands;
    if (before === undefined) return;
    commands.setAll(true);
    if (!before.isAdmin) commands.setCategory('admin', false);
  }

  apply(rule: string): void {
    const applyWord = this.#words.get(rule.toLowerCase());
    if (applyWord !== undefined) {
      applyWord();
      return;
    }
    const refuse = (why: string): never => {
      throw aclRuleRefused(rule, why);
    };
    const rest = rule.slice(1);
    switch (rule.charAt(0)) {
      case '>':
      case '<': {
        const bytes = Buffer.from(rest, 'latin1');
        if (!isUtf8(bytes)) throw aclRuleRefused(`${rule.charAt(0)}...`, aclTexts.passwordNotUtf8);
        const text = bytes.toString('utf8');
        if (rule.startsWith('>')) this.#hasNoPass = false;
        this.#passwordSteps.push({ kind: rule.startsWith('>') ? 'add' : 'remove', text });
        return;
      }
      case '#':
      case '!':
        return refuse(/^[0-9a-f]{64}$/.test(rest) ? aclTexts.hash : aclTexts.badHash);
      case '~':
        return this.#addKeys(rest, 'RW', refuse);
      case '%': {
        const parsed = /^%([RW]{1,2})~(.*)$/is.exec(rule);
        const [, uses = '', pattern = ''] = parsed ?? [];
        const isTwice = uses.length === 2 && uses.charAt(0).toUpperCase() === uses.charAt(1).toUpperCase();
        if (parsed === null || isTwice) return refuse(aclTexts.syntax);
        return this.#addKeys(pattern, uses.toUpperCase(), refuse);
      }
      case '&':
        return refuse(
          hasSpace(rest) ? aclTexts.syntax : this.#hasAllChannels ? aclTexts.channelBehindAll : CHANNELS,
        );
      case '+':
      case '-':
        if (!this.#commands.setNamed(rest.toLowerCase(), rule.startsWith('+')))
          refuse(aclTexts.unknownCommand);
        return;
      case '(':
        return refuse(aclTexts.selector);
      default:
        return refuse(rule.toLowerCase() === 'skip-sanitize-payload' ? aclTexts.sanitize : aclTexts.syntax);
    }
  }

  /** Throws a `ReplyError` for what can't be kept. */
  settle(): RuledUser {
    if (!this.#isOn) throw aclNotCarried(OFF);
    if (this.#hasNoPass) throw aclNotCarried(NO_PASS);
    if (!this.#hasAllChannels) throw aclNotCarried(CHANNELS);
    return {
      isAdmin: this.#commands.isAdmin(),
      keys: this.#keys,
      passwordSteps: this.#passwordSteps,
      isReset: this.#isReset,
    };
  }

  #addKeys(pattern: string, uses: string, refuse: (why: string) => never): void {
    if (this.#hasAllKeys) refuse(aclTexts.patternBehindAll);
    if (pattern === '' || hasSpace(pattern)) refuse(aclTexts.syntax);
    const parsed = prefixOf(pattern);
    if (parsed === undefined) return refuse(aclTexts.pattern);
    addTo(this.#keys, patternGrant(parsed, uses.includes('R'), uses.includes('W')));
    // Roles that other doors have made may say more than one role may list.
    if (this.#keys.size > fixed.accessListedMax + this.#foundCount) throw aclNotCarried(TOO_MANY_PATTERNS);
  }

  #setOn(isOn: boolean): void {
    this.#isOn = isOn;
  }

  #setAllChannels(hasAllChannels: boolean): void {
    this.#hasAllChannels = hasAllChannels;
  }

  #allKeys(): void {
    this.#keys = new Map(allKeyGrants);
    this.#hasAllKeys = true;
  }

  #resetKeys(): void {
    this.#keys.clear();
    this.#hasAllKeys = false;
  }

  #resetPassword(): void {
    this.#hasNoPass = false;
    this.#passwordSteps.push({ kind: 'clear' });
  }

  readonly #words: ReadonlyMap<string, () => void> = new Map([
    ['on', () => this.#setOn(true)],
    ['off', () => this.#setOn(false)],
    [
      'nopass',
      () => {
        this.#resetPassword();
        this.#hasNoPass = true;
      },
    ],
    ['resetpass', () => this.#resetPassword()],
    ['allkeys', () => this.#allKeys()],
    ['~*', () => this.#allKeys()],
    ['resetkeys', () => this.#resetKeys()],
    ['allchannels', () => this.#setAllChannels(true)],
    ['&*', () => this.#setAllChannels(true)],
    ['resetchannels', () => this.#setAllChannels(false)],
    ['allcommands', () => this.#commands.setAll(true)],
    ['nocommands', () => this.#commands.setAll(false)],
    ['sanitize-payload', () => undefined],
    ['clearselectors', () => undefined],
    [
      'reset',
      () => {
        this.#isReset = true;
        this.#resetPassword();
        this.#resetKeys();
        this.#setAllChannels(true);
        this.#setOn(false);
        this.#commands.setAll(false);
      },
    ],
  ]);
}

/** As many as one role lists. */
export const TOO_MANY_PATTERNS = `a user has at most ${fixed.accessListedMax} patterns of keys here`;
const OFF = 'a user is always on here, so its rules have to say on; ACL DELUSER is what ends one';
const NO_PASS =
  'a user has a password here (>password), or none at all and comes by a token or a certificate: nopass would let everybody in';
const CHANNELS =
  'there are no rights to single channels here: all users who are logged in have all of them (&*)';
const COMMANDS =
  'there are no rights to single commands here: a user has +@all, or +@all -@admin, and %R~ and %W~ say what it may do with keys';

/** Which commands a user may run, as rules say it. */
class CommandSet {
  readonly #rows: readonly TableRow[];
  readonly #names = new Set<string>();

  constructor(rows: readonly TableRow[]) {
    // What needs no login is for all, as in Redis.
    this.#rows = rows.filter(({ flags }) => !flags.includes('no_auth'));
  }

  setAll(isAllowed: boolean): void {
    for (const { name } of this.#rows) this.#set(name, isAllowed);
  }

  setCategory(category: Category, isAllowed: boolean): void {
    for (const { name, categories } of this.#rows)
      if (categories.includes(category)) this.#set(name, isAllowed);
  }

  /** @param name of a command, of one with a subcommand (`config|get`), or of a category (`@read`). @returns false: there is none. */
  setNamed(name: string, isAllowed: boolean): boolean {
    if (name === '@all') {
      this.setAll(isAllowed);
      return true;
    }
    const isMeant = name.startsWith('@')
      ? ({ categories }: TableRow) => categories.includes(name.slice(1) as Category)
      : (row: TableRow) => row.name === name || row.name.startsWith(`${name}|`);
    const meant = this.#rows.filter(isMeant);
    for (const row of meant) this.#set(row.name, isAllowed);
    return meant.length > 0;
  }

  /** Whether they are all, or all but those for operators. Throws a `ReplyError` for other ones. */
  isAdmin(): boolean {
    const others = this.#rows.filter(({ name }) => !this.#names.has(name));
    if (others.length === 0) return true;
    if (this.#names.size === 0) throw aclNotCarried(COMMANDS);
    const odd =
      others.find(({ categories }) => !categories.includes('admin')) ??
      this.#rows.find(({ name, categories }) => categories.includes('admin') && this.#names.has(name));
    if (odd === undefined) return false;
    const what = this.#names.has(odd.name) ? 'allows' : 'refuses';
    throw aclNotCarried(`${COMMANDS}; this one ${what} '${odd.name}' by itself`);
  }

  #set(name: string, isAllowed: boolean): void {
    if (isAllowed) this.#names.add(name);
    else this.#names.delete(name);
  }
}

/** The bytes of a pattern that is a key, or the beginning of keys. @param pattern Latin-1. @returns `undefined`: it is more than that. */
function prefixOf(pattern: string): { readonly bytes: Uint8Array; readonly isPrefix: boolean } | undefined {
  let text = '';
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index);
    if (character === '*') {
      const isLast = /^\**$/.test(pattern.slice(index));
      return isLast ? { bytes: Buffer.from(text, 'latin1'), isPrefix: true } : undefined;
    }
    if (character === '?' || character === '[') return undefined;
    // A backslash at the end is one of the key.
    if (character === '\\' && index + 1 < pattern.length) index++;
    text += pattern.charAt(index);
  }
  return { bytes: Buffer.from(text, 'latin1'), isPrefix: false };
}

/** As Redis looks for what would end a rule, or a name. @param text Latin-1. */
export function hasSpace(text: string): boolean {
  return /[\t-\r \0]/.test(text);
}
