/**
 * `ScriptCache`: what is compiled: the scripts that may be called by their SHA-1, or libraries of functions by the digest of their text. It has so many, and so many bytes of their texts and codes: beyond that those go
 * that were used longest ago, what was only run (EVAL) before what was loaded (SCRIPT LOAD).
 */
import { createHash } from 'node:crypto';
import { serverFixed } from '../../../limits.ts';

export interface CachedScript {
  /** Of the text: hexadecimal digits, in lower case. */
  readonly sha: string;
  /** As it was sent, one character for each byte. */
  readonly text: string;
  /** What it takes: its text and what it was compiled to. */
  readonly bytes: number;
}

export interface ScriptCacheLimits {
  readonly countMax: number;
  readonly bytesMax: number;
}

const LIMITS: ScriptCacheLimits = {
  countMax: serverFixed.redisScriptsMax,
  bytesMax: serverFixed.redisScriptBytesMax,
};

export class ScriptCache<Script extends CachedScript> {
  readonly #limits: ScriptCacheLimits;
  /** Both from the one that was used longest ago on. */
  readonly #run = new Map<string, Script>();
  readonly #loaded = new Map<string, Script>();
  /** By the text: to find a script so takes less time than to make its SHA-1. */
  readonly #byText = new Map<string, Script>();
  #newest: Script | undefined;
  #bytes = 0;

  constructor(limits = LIMITS) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#byText.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  *all(): Generator<Script, undefined> {
    yield* this.#run.values();
    yield* this.#loaded.values();
  }

  /** A script that is used now. @param sha in lower case. */
  bySha(sha: string): Script | undefined {
    const newest = this.#newest;
    if (newest?.sha === sha) return newest;
    return this.#used(this.#run.get(sha) ?? this.#loaded.get(sha));
  }

  byText(text: string): Script | undefined {
    return this.#used(this.#byText.get(text));
  }

  has(sha: string): boolean {
    return this.#run.has(sha) || this.#loaded.has(sha);
  }

  /** Keeps a script that is not there. One that alone takes more than all may is not kept. */
  add(script: Script): void {
    if (script.bytes > this.#limits.bytesMax) return;
    this.#run.set(script.sha, script);
    this.#byText.set(script.text, script);
    this.#bytes += script.bytes;
    this.#newest = script;
    while (this.count > this.#limits.countMax || this.#bytes > this.#limits.bytesMax) this.#dropOldest();
  }

  /** It was loaded: it stays for longer than what is only run. */
  keep(script: Script): void {
    if (this.#run.delete(script.sha)) this.#loaded.set(script.sha, script);
  }

  clear(): void {
    this.#run.clear();
    this.#loaded.clear();
    this.#byText.clear();
    this.#newest = undefined;
    this.#bytes = 0;
  }

  #used(script: Script | undefined): Script | undefined {
    if (script === undefined || script === this.#newest) return script;
    this.#newest = script;
    const scripts = this.#loaded.has(script.sha) ? this.#loaded : this.#run;
    scripts.delete(script.sha);
    scripts.set(script.sha, script);
    return script;
  }

  #dropOldest(): void {
    for (const scripts of [this.#run, this.#loaded]) {
      for (const script of scripts.values()) {
        // What has just come stays, be it that all others have to go.
        if (script === this.#newest && this.count > 1) continue;
        scripts.delete(script.sha);
        this.#byText.delete(script.text);
        this.#bytes -= script.bytes;
        return;
      }
    }
  }
}

/** @param text one character for each byte. */
export function sha1Of(text: string): string {
  return createHash('sha1').update(text, 'latin1').digest('hex');
}
