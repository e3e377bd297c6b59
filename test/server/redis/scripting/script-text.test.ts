import { expect, test } from 'vitest';
import { readScriptText } from '../../../../src/server/redis/scripting/script-text.ts';

test('a script without a first line of its own is compiled as it is', () => {
  expect(readScriptText('return 1')).toEqual({ source: 'return 1', isDeclared: false, flags: new Set() });
});

test('the first line says what the script does, and stays as an empty one', () => {
  expect(readScriptText('#!lua flags=no-writes,allow-oom \nreturn 1')).toEqual({
    source: '\nreturn 1',
    isDeclared: true,
    flags: new Set(['no-writes', 'allow-oom']),
  });
});

test.each([
  ['#!lua', 'ERR Invalid script shebang'],
  ['#!python\n', 'ERR Unexpected engine in script shebang: #!python'],
  ['#!lua name=x\n', 'ERR Unknown lua shebang option: name=x'],
  ['#!lua flags=fast\n', 'ERR Unexpected flag in script shebang: fast'],
])('%j is refused', (text, error) => {
  expect(() => readScriptText(text)).toThrow(error);
});
