/**
 * Finds a name that stands twice in one object of JSON: `JSON.parse` keeps the last of them without a word. protobuf-es looks
 * for them too, but goes through each text character by character.
 */
import { endOfText } from '../../wire/json-numbers.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const BRACE = 0x7b;
const BRACE_END = 0x7d;

/** @param json that `JSON.parse` takes. */
export function duplicateNameIn(json: Buffer): string | undefined {
  /** Of the objects and lists that are open: the names in the former. */
  const open: (Set<string> | undefined)[] = [];
  let isNameNext = false;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case BRACE:
        open.push(new Set());
        isNameNext = true;
        break;
      case BRACKET:
        open.push(undefined);
        isNameNext = false;
        break;
      case BRACE_END:
      case BRACKET_END:
        open.pop();
        isNameNext = false;
        break;
      case COMMA:
        isNameNext = open.at(-1) !== undefined;
        break;
      case QUOTE: {
        const end = endOfText(json, at);
        const names = isNameNext ? open.at(-1) : undefined;
        if (names !== undefined) {
          const name = nameOf(json, at, end);
          if (names.has(name)) return name;
          names.add(name);
        }
        isNameNext = false;
        at = end;
        break;
      }
      default:
        break;
    }
  }
  return undefined;
}

function nameOf(json: Buffer, start: number, end: number): string {
  const text = json.toString('utf8', start, end + 1);
  return json.subarray(start, end).includes(BACKSLASH) ? (JSON.parse(text) as string) : text.slice(1, -1);
}
