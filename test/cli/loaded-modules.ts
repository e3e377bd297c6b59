/**
 * With `--import` it writes the modules that a program has loaded, one URL in a line, to the file that `LOADED_MODULES`
 * names. What Node loads for its own use does not count.
 */
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const urls: string[] = [];
registerHooks({
  load: (url, context, nextLoad) => {
    urls.push(url);
    return nextLoad(url, context);
  },
});
process.on('exit', () => writeFileSync(process.env['LOADED_MODULES'] ?? '', urls.join('\n')));
