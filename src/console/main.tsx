/** The console: a page of the server by which people look at its store (`src/server/console/console-pages.ts` serves it). */
import { render } from 'preact';
import { App } from './shell/app.tsx';

const root = document.querySelector('#root');
if (root !== null) render(<App />, root);
