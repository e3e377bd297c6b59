/**
 * The Node.js that KelpDB needs. An older one must be able to read this file and what imports it up to the check, so
 * it uses nothing new and imports nothing.
 */

/** As `engines` of each `package.json` says too. */
export const NODE_MAJOR_MIN = 24;

/** What is wrong with a version of Node such as `20.19.2`; `undefined`: nothing. `name` is what needs a newer one. */
export function nodeVersionFault(name: string, version: string): string | undefined {
  if (Number.parseInt(version, 10) >= NODE_MAJOR_MIN) return undefined;
  return `${name} needs Node.js ${NODE_MAJOR_MIN} or later, this is v${version}`;
}
