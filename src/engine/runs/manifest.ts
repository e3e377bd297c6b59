/**
 * The manifest of a base: which files make up its state. It is text, so that it can be looked at:
 *
 * ```text
 * KELPBASE <CRC-32 of all bytes behind this line, 8 hexadecimal digits>
 * { ... }   JSON, see `Manifest`; keys of ranges in base64
 * ```
 */
import { crc32 } from '../../wire/crc32.ts';
import type { EngineRange } from '../engine.ts';
import { BaseDamageError, ForeignBaseError } from './damage.ts';
import { engineKind } from './format.ts';
import type { RunEngine } from './format.ts';
import type { RunInfo } from './table/run-writer.ts';

const MANIFEST_FORMAT = 1;
const FIRST_LINE = /^KELPBASE ([0-9a-f]{8})\n/;

export interface Manifest {
  readonly engine: RunEngine;
  /** 32 hexadecimal digits. */
  readonly storeId: string;
  /** The base is the state at this revision; 0: it is empty. */
  readonly revision: number;
  /** Above the numbers of all files that were ever named. */
  readonly nextNumber: number;
  /** `undefined`: no notes, at revision 0. */
  readonly notes: NotesInfo | undefined;
  /** Oldest first: of two records of a key that of the later run counts. */
  readonly runs: readonly ManifestRun[];
  /** Ranges whose keys are gone, whatever runs say. */
  readonly forgotten: readonly ForgottenRange[];
}

export interface NotesInfo {
  readonly number: number;
  readonly bytes: number;
  readonly checksum: number;
}

export interface ManifestRun extends RunInfo {
  /**
   * Of `lsm`: it has no keys of forgotten ranges whose id is not above this. Of `bitcask`: the revision as of which all its records
   * were live.
   */
  readonly cleanThrough: number;
}

export interface ForgottenRange extends EngineRange {
  /** By the engine's count: a later one has a higher id. */
  readonly id: number;
}

export function encodeManifest(manifest: Manifest): Buffer {
  const { forgotten, ...rest } = manifest;
  const fields = {
    format: MANIFEST_FORMAT,
    ...rest,
    forgotten: forgotten.map(({ id, start, end }) => ({
      id,
      start: toBase64(start),
      end: end === undefined ? null : toBase64(end),
    })),
  };
  const body = Buffer.from(`${JSON.stringify(fields, undefined, 1)}\n`);
  const checksum = crc32(body).toString(16).padStart(8, '0');
  return Buffer.concat([Buffer.from(`KELPBASE ${checksum}\n`), body]);
}

/** Throws a `BaseDamageError`, or a `ForeignBaseError` for a manifest of a newer version or of another engine. */
export function decodeManifest(bytes: Buffer, path: string, engine: RunEngine | undefined): Manifest {
  const [line, checksum] = FIRST_LINE.exec(bytes.toString('latin1', 0, 32)) ?? [];
  if (line === undefined || checksum === undefined)
    throw damaged(path, 'a manifest does not begin like this');
  const body = bytes.subarray(line.length);
  if (crc32(body).toString(16).padStart(8, '0') !== checksum)
    throw damaged(path, 'the checksum of the manifest does not match');
  const fields = parse(body, path);
  if (numberOf(fields, 'format', path) > MANIFEST_FORMAT)
    throw new ForeignBaseError(path, 'a newer version of KelpDB wrote it', 'Start that version');
  const written = fields['engine'];
  if (!isEngine(written)) throw damaged(path, `there is no engine ${String(written)}`);
  if (engine !== undefined && written !== engine) {
    throw new ForeignBaseError(
      path,
      `the engine ${written} made it`,
      `Start with --engine ${written}, or restore a backup into a new directory to change the engine`,
    );
  }
  const storeId = fields['storeId'];
  if (typeof storeId !== 'string') throw damaged(path, 'it has no store id');
  const { notes } = fields;
  return {
    engine: written,
    storeId,
    revision: numberOf(fields, 'revision', path),
    nextNumber: numberOf(fields, 'nextNumber', path),
    notes: notes === undefined ? undefined : readNotes(objectOf(notes, path), path),
    runs: arrayOf(fields['runs'], path).map((run) => readRun(objectOf(run, path), path)),
    forgotten: arrayOf(fields['forgotten'], path).map((range) => readRange(objectOf(range, path), path)),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parse(body: Buffer, path: string): Fields {
  try {
    return objectOf(JSON.parse(body.toString()), path);
  } catch (cause) {
    throw new BaseDamageError(path, 0, 'the manifest is not readable', { cause });
  }
}

function readNotes(fields: Fields, path: string): NotesInfo {
  return {
    number: numberOf(fields, 'number', path),
    bytes: numberOf(fields, 'bytes', path),
    checksum: numberOf(fields, 'checksum', path),
  };
}

function readRun(fields: Fields, path: string): ManifestRun {
  return {
    ...readNotes(fields, path),
    recordCount: numberOf(fields, 'recordCount', path),
    deletedCount: numberOf(fields, 'deletedCount', path),
    minRevision: numberOf(fields, 'minRevision', path),
    maxRevision: numberOf(fields, 'maxRevision', path),
    cleanThrough: numberOf(fields, 'cleanThrough', path),
  };
}

function readRange(fields: Fields, path: string): ForgottenRange {
  const { start, end } = fields;
  if (typeof start !== 'string' || (end !== null && typeof end !== 'string'))
    throw damaged(path, 'a range has no bounds');
  return {
    id: numberOf(fields, 'id', path),
    start: fromBase64(start),
    end: end === null ? undefined : fromBase64(end),
  };
}

function numberOf(fields: Fields, name: string, path: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw damaged(path, `${name} is no number`);
}

function objectOf(value: unknown, path: string): Fields {
  if (typeof value === 'object' && value !== null) return value as Fields;
  throw damaged(path, 'a part of it is missing');
}

function arrayOf(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw damaged(path, 'a list of it is missing');
}

function isEngine(value: unknown): value is RunEngine {
  return typeof value === 'string' && Object.hasOwn(engineKind, value);
}

function damaged(path: string, what: string): BaseDamageError {
  return new BaseDamageError(path, 0, what);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
