import { testRecoverySweep } from './recovery-sweep-tests.ts';
import { runScript } from './sweep.ts';

testRecoverySweep('heap', await runScript({ crash: 'endProcess' }));
