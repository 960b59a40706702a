import { base } from './jest.base.mjs';

/** `npm run test:unit`: the specs beside the code and the suites that start no application. */
export default { ...base, testRegex: '\\.spec\\.ts$' };
