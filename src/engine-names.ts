/** The engines that may keep the state of a store, as `--engine` has them. */
export const ENGINE_NAMES = ['memory', 'btree', 'lsm', 'bitcask'] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];
