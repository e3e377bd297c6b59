import { testRecoverySweep } from './recovery-sweep-tests.ts';
import { runScript } from './sweep.ts';
import { testSweep } from './sweep-tests.ts';

const clean = await runScript({ crash: 'endProcess' }, undefined, 'bitcask');
testSweep('bitcask', clean);
testRecoverySweep('bitcask', clean);
