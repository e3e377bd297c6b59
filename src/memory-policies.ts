/** What a store may do when its memory is full, beside giving up history, as `--memory-policy` has it. */
export const MEMORY_POLICIES = [
  /** Nothing that was written goes: writes are refused. */
  'noeviction',
  /** Of the keys that have a time to live those go that are nearest to its end. */
  'volatile-ttl',
  /** Any of these keys go. */
  'volatile-random',
] as const;

export type MemoryPolicy = (typeof MEMORY_POLICIES)[number];

/** Why keys can't be evicted with an engine; `undefined`: they can. */
export function faultOfMemoryPolicy(policy: MemoryPolicy, engine: string): string | undefined {
  if (policy === 'noeviction' || engine === 'memory') return undefined;
  return `keys are evicted with the engine memory alone: ${engine} keeps them in files, and a checkpoint gives its memory back`;
}
