import { base } from '../../jest.base.mjs';

/** The suites that need more than Node. One after the other: they start servers and measure nothing. */
export default {
  ...base,
  roots: ['<rootDir>/test/interop'],
  testRegex: '\\.interop-spec\\.ts$',
  testTimeout: 180_000,
  maxWorkers: 1,
};
