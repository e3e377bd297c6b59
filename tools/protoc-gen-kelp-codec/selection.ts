import type { DescFile, DescMessage } from '@bufbuild/protobuf';
import type { CodecOptions } from './options.ts';

export interface Selection {
  /** The messages to write code for, in the order of the schema; files in the order of their names. */
  readonly messagesByFile: ReadonlyMap<DescFile, readonly DescMessage[]>;
  /** Full names of the fields that are bigints. */
  readonly bigIntFields: ReadonlySet<string>;
  /** Those that have a placed form too. */
  readonly placedMessages: ReadonlySet<DescMessage>;
  /** Those that may contain themselves, whose readers count how deep they are. */
  readonly nestedMessages: ReadonlySet<DescMessage>;
}

/** The messages that the options name and all they refer to. */
export function selectMessages(files: readonly DescFile[], options: CodecOptions): Selection {
  const all = files.flatMap((file) => file.messages);
  const chosen = new Set<DescMessage>();
  for (const name of options.files) {
    const inFile = all.filter((message) => `${message.file.name}.proto` === name);
    if (inFile.length === 0) throw new Error(`option file=${name}: there is no such file with messages`);
    for (const message of inFile) addWithReferences(message, [], chosen, options.nestedMessages);
  }
  return {
    messagesByFile: groupByFile(all.filter((message) => chosen.has(message))),
    bigIntFields: checkBigIntFields(options.bigIntFields, chosen),
    placedMessages: new Set(options.placedMessages.map((name) => findChosen('placed', name, chosen))),
    nestedMessages: new Set(options.nestedMessages.map((name) => findChosen('nested', name, chosen))),
  };
}

/**
 * Refuses cycles, unless a message in them is said to be nested: without them the nesting of known messages is bounded by
 * the schema, so that neither reader nor writer needs a limit of its own.
 */
function addWithReferences(
  message: DescMessage,
  path: readonly DescMessage[],
  chosen: Set<DescMessage>,
  nested: readonly string[],
): void {
  const at = path.indexOf(message);
  if (at >= 0) {
    if (path.slice(at).some(({ typeName }) => nested.includes(typeName))) return;
    throw new Error(`${message.typeName} contains itself; messages with cycles are not supported`);
  }
  chosen.add(message);
  for (const field of message.fields) {
    if (field.message !== undefined) addWithReferences(field.message, [...path, message], chosen, nested);
  }
}

function groupByFile(messages: readonly DescMessage[]): Map<DescFile, DescMessage[]> {
  const byFile = Map.groupBy(messages, (message) => message.file);
  return new Map([...byFile].sort(([a], [b]) => (a.name < b.name ? -1 : 1)));
}

function findChosen(option: string, name: string, chosen: ReadonlySet<DescMessage>): DescMessage {
  const message = [...chosen].find((each) => each.typeName === name);
  if (message === undefined) throw new Error(`option ${option}=${name}: there is no such chosen message`);
  return message;
}

function checkBigIntFields(names: readonly string[], chosen: ReadonlySet<DescMessage>): Set<string> {
  const known = new Set<string>();
  for (const message of chosen) {
    for (const field of message.fields) known.add(`${message.typeName}.${field.name}`);
  }
  for (const name of names) {
    if (!known.has(name))
      throw new Error(`option bigint=${name}: there is no such field in a chosen message`);
  }
  return new Set(names);
}
