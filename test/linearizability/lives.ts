/**
 * What the histories of served stores have in common, whatever door their clients come by.
 *
 * LINEARIZABILITY_ROUNDS is the number of stores that are tried so, LINEARIZABILITY_SEED what the clients do.
 */
const ROUNDS = Number(process.env['LINEARIZABILITY_ROUNDS'] ?? 1);
const SEED = Number(process.env['LINEARIZABILITY_SEED'] ?? 1);

/** The seed of each store. */
export const rounds = Array.from({ length: ROUNDS }, (_, round) => SEED + round);

export const CLIENTS = 6;
/** So often is a server killed that does not run on. */
export const KILLS = 3;
/** Answered calls in one life of a server. */
export const CALLS_PER_LIFE = 200;
/** Now and then a client does not wait long enough; what it asked for may be done all the same. */
export const IMPATIENCE = 0.01;
export const IMPATIENT_MS = 1;
export const TIMEOUT_MS = 120_000;
/** Small, so that kills meet rotations and snapshots too. */
export const SMALL_FILES = ['--segment-bytes', '64KiB', '--snapshot-log-bytes', '64KiB'] as const;
