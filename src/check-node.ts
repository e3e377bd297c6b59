/** Imported first by the library and the client: an older Node would only fail later, and without saying why. */
import { nodeVersionFault } from './node-version.ts';

const fault = nodeVersionFault('KelpDB', process.versions.node);
if (fault !== undefined) throw new Error(fault);
