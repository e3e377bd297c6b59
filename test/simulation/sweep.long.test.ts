import { runScript } from './sweep.ts';
import { testSweep } from './sweep-tests.ts';

testSweep('heap', await runScript({ crash: 'endProcess' }));
