/** The examples of a page: its blocks of code, and the commands of its `console` blocks with what they print. */

interface Block {
  readonly language: string;
  readonly text: string;
}

interface ConsoleExample {
  readonly command: string;
  readonly output: string;
}

/** In their order. */
export function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({
    language,
    text,
  }));
}

export function textsOf(page: string, language: string): string[] {
  return blocksOf(page)
    .filter((block) => block.language === language)
    .map(({ text }) => text);
}

/** Each `$` line with the lines that stand below it. */
export function consoleExamplesOf(page: string): readonly ConsoleExample[] {
  const examples: { command: string; output: string }[] = [];
  for (const line of textsOf(page, 'console').flatMap((text) => text.split('\n'))) {
    const last = examples.at(-1);
    if (line.startsWith('$ ')) examples.push({ command: line.slice(2), output: '' });
    else if (line !== '' && last !== undefined) last.output += `${line}\n`;
  }
  return examples;
}

/** The part of a page below a heading of the second level. */
export function sectionOf(page: string, title: string): string {
  const parts = page.split(/^## /m);
  const section = parts.find((part) => part.startsWith(`${title}\n`));
  if (section === undefined) throw new Error(`the page has no section "${title}"`);
  return section;
}
