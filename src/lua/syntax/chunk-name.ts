/** How messages call a chunk, by the rules of Lua 5.1 (`luaO_chunkid`). */
import { cString } from '../conversions.ts';

const SHOWN_MAX = 59;

/** `@file` and `=name` are shown without their mark; any other name is taken for the source itself: `[string "return 1"]`. */
export function shownChunkName(name: string): string {
  const chunkName = cString(name);
  if (chunkName.startsWith('=')) return chunkName.slice(1, 1 + SHOWN_MAX);
  if (chunkName.startsWith('@')) {
    const file = chunkName.slice(1);
    const roomMax = SHOWN_MAX + 1 - " '...' ".length - 1;
    return file.length > roomMax ? `...${file.slice(-roomMax)}` : file;
  }
  const roomMax = SHOWN_MAX + 1 - ' [string "..."] '.length - 1;
  const lineEnd = chunkName.search(/[\n\r]/);
  const line = (lineEnd < 0 ? chunkName : chunkName.slice(0, lineEnd)).slice(0, roomMax);
  return line.length < chunkName.length ? `[string "${line}..."]` : `[string "${line}"]`;
}
