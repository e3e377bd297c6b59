#!/usr/bin/env node
import { Output } from './output.ts';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  output: new Output(process.stdout, process.stderr),
  environment: process.env,
});
