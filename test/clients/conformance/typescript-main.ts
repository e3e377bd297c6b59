/** The driver of the TypeScript client as a program. */
import { TypescriptDriver, serve } from './typescript-driver.ts';

await serve(new TypescriptDriver());
