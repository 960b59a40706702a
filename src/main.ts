#!/usr/bin/env node
/**
 * The command line, `kt`: arguments in, exit code out. What a command does is in commands/, loaded when it is asked for.
 *
 * stdout is data, stderr everything else. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no broker, 5 timed out,
 * 130 interrupted. See exit-code.ts.
 */
import { endWithReader } from './output.js';
import { createProgram } from './program.js';
import { runProgram } from './run-program.js';

endWithReader(process);
process.exitCode = await runProgram(createProgram(), process.argv.slice(2));
