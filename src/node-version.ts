/**
 * The Node.js that KelpDB needs. An older one must be able to read this file and what imports it up to the check, so
 * it uses nothing new and imports nothing.
 */

/** As `engines` of each `package.json` says too. The first with a `node:sqlite` that is no experiment, for the engine `btree`. */
export const NODE_VERSION_MIN = '24.15';

/** What is wrong with a version of Node such as `20.19.2`; `undefined`: nothing. `name` is what needs a newer one. */
export function nodeVersionFault(name: string, version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = NODE_VERSION_MIN.split('.').map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return undefined;
  return `${name} needs Node.js ${NODE_VERSION_MIN} or later, this is v${version}`;
}
