/** Clients that others have written are tried as far as they are installed; `.ci/run` sees to it, and says so by TEST_PEERS. */

/** Where they are expected, a test that would be left out fails instead. */
export function found(peer: string, isFound: boolean): boolean {
  if (!isFound && process.env['TEST_PEERS'] === 'required') throw new Error(`${peer} is not installed`);
  return isFound;
}
