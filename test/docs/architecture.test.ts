/** What docs/architecture.md says can be built from: its door works, its files are there, its words have one entry. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sectionOf, textsOf } from '../support/page-examples.ts';
import { SeamHarness } from '../store/seam/seam-harness.ts';
import { LineDoor } from './line-door.ts';

const page = readFileSync('docs/architecture.md', 'utf8');

/** The words in backquotes of a text. */
function quotedIn(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, quoted = '']) => quoted);
}

/** Whether there is such a file or folder: from the root, in `src/`, or in one of its layers as a room. */
function isThere(path: string): boolean {
  const layers = readdirSync('src').map((layer) => `src/${layer}/${path}`);
  return [path, `src/${path}`, `docs/${path}`, ...layers].some((each) => existsSync(each));
}

describe('the example door', () => {
  async function opened(): Promise<{ harness: SeamHarness; door: LineDoor; sent: string[] }> {
    const harness = await SeamHarness.open();
    const sent: string[] = [];
    return { harness, door: new LineDoor(harness.store, (line) => sent.push(line)), sent };
  }

  test('on the page is the one that is tested here', () => {
    const door = readFileSync('test/docs/line-door.ts', 'utf8').replaceAll('../../src/', '../');
    expect(textsOf(page, 'ts')).toContain(door);
  });

  test('sends no line before what it rests on is durable, and all of them in their order', async () => {
    const { harness, door, sent } = await opened();
    door.receive('get greeting');
    expect(sent.splice(0)).toEqual(['']);
    harness.flushes.hold();
    for (const line of ['append greeting hel', 'append greeting lo', 'get greeting', 'get'])
      door.receive(line);
    await harness.clock.settled();
    expect(harness.flushes.waitingCount).toBeGreaterThan(0);
    expect(sent).toEqual([]);
    harness.flushes.release();
    await harness.durable();
    const refusal = expect.stringMatching(/^error: .*key/);
    expect(sent.splice(0)).toEqual(['revision 1', 'revision 2', 'hello', refusal]);
    door.receive('get greeting');
    expect(sent).toEqual(['hello']);
  });

  test('tells of a failed disk by what a request has done', async () => {
    const { harness, door, sent } = await opened();
    const { store } = harness;
    harness.disk.injectFault({ call: 'sync', pathEnd: '.log' });
    for (const line of ['append greeting hello', 'get greeting']) door.receive(line);
    await store.failed;
    expect(sent.splice(0)).toEqual([
      expect.stringMatching(/^error: .*whether the changes of this call are kept/),
      expect.stringMatching(/^error: .*has changed nothing/),
    ]);
    for (const line of ['get greeting', 'append greeting hello']) door.receive(line);
    expect(sent).toEqual(['', expect.stringMatching(/^error: .*has changed nothing/)]);
    // One that comes later learns of it, too.
    const late: string[] = [];
    const lateDoor = new LineDoor(store, (line) => late.push(line));
    for (const line of ['append greeting hello', 'get greeting']) lateDoor.receive(line);
    expect(late).toEqual([expect.stringMatching(/^error: .*has changed nothing/), '']);
  });
});

test('the page names files and folders that there are', () => {
  const named = quotedIn(page).filter((text) => /^[\w./-]+(?:\/|\.(?:ts|proto|md|yaml))$/.test(text));
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter((path) => !isThere(path))).toEqual([]);
});

test('the table of layers has every folder of src/, and those of rooms every room', () => {
  const layers = quotedIn(sectionOf(page, 'Layers'));
  const folders = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${name}/`);
  for (const path of ['src', 'src/store', 'src/server', 'src/cli']) {
    expect(
      folders(path).filter((name) => !layers.includes(name)),
      path,
    ).toEqual([]);
  }
});

test('each word of the glossary has one entry, and they are in order', () => {
  const words = [...sectionOf(page, 'Glossary').matchAll(/^\| ([\w ]+?) +\|/gm)]
    .map(([, word = '']) => word)
    .filter((word) => word !== 'word');
  expect(words.length).toBeGreaterThan(20);
  expect(words).toEqual([...new Set(words)].toSorted());
});
