import { base } from '../../jest.base.mjs';

/** The suites that need more than Node. One after the other: they start servers and measure nothing. */
export default {
  ...base,
  roots: ['<rootDir>/test/interop'],
  testRegex: '\\.interop-spec\\.ts$',
  testTimeout: 180_000,
  maxWorkers: 1,
  // A foreign client whose broker is gone may go on trying for ever; the totals are still the last line.
  forceExit: true,
};
