/** The Python client passes the conformance script, by asyncio and by blocking calls. */
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { isPythonClientUsable, python } from '../python/python.ts';
import { testConformance } from './conformance.ts';

const driver = fileURLToPath(new URL('../../../clients/python/conformance.py', import.meta.url));

describe.skipIf(!isPythonClientUsable)('the driver in Python', () => {
  testConformance('Python', [python, '-B', driver]);
  testConformance('Python, plain', [python, '-B', driver, '--plain']);
});
