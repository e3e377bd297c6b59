/**
 * Bytes that clients and servers of others sent over a socket, as hexadecimal digits in `recorded/`: clients to a server that
 * does as `behaviours.ts` says, and a server to a client of ours that makes six calls.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { preface } from '../support/frames.ts';
import type { Session } from './sessions.ts';

const FOLDER = join(import.meta.dirname, 'recorded');
const FRAME_HEAD_BYTES = 9;

function recorded(name: string): Buffer {
  const digits = readFileSync(join(FOLDER, name), 'latin1').replaceAll(/\s/g, '');
  return Buffer.from(digits, 'hex');
}

/** The frames one by one, the first with what comes before it. */
function framesOf(bytes: Buffer, prefaceBytes: number): Buffer[] {
  const frames: Buffer[] = [];
  let from = 0;
  for (let at = prefaceBytes; at < bytes.length;) {
    at += FRAME_HEAD_BYTES + bytes.readUIntBE(at, 3);
    frames.push(bytes.subarray(from, at));
    from = at;
  }
  return frames;
}

function sessionsOf(side: 'client' | 'server'): Session[] {
  return readdirSync(FOLDER)
    .filter((name) => name.startsWith('server-') === (side === 'server'))
    .toSorted()
    .map((name) => ({
      name: `what ${basename(name, '.hex').replace('server-', '')} sent`,
      frames: framesOf(recorded(name), side === 'client' ? preface.length : 0),
    }));
}

export const recordedClients: readonly Session[] = sessionsOf('client');
export const recordedServers: readonly Session[] = sessionsOf('server');
