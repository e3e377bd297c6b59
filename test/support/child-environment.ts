/**
 * What a process of a test has of the environment of the tests: the way to programs, and where Node keeps what it has compiled
 * (`vitest.config.ts`), with which a server starts in half the time.
 */
export function childEnvironment(): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE };
}
