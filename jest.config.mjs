import { base } from './jest.base.mjs';

/** `npm test`: everything that needs Node alone, unit and end to end. */
export default {
  ...base,
  testRegex: '\\.(e2e-)?spec\\.ts$',
  coverageProvider: 'v8',
  collectCoverageFrom: [
    'libs/*/src/**/*.ts',
    'src/**/*.ts',
    '!**/*spec.ts',
    '!**/*.{suite,fixture}.ts',
    '!**/index.ts',
  ],
};
