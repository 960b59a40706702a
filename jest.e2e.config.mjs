import { base } from './jest.base.mjs';

/** `npm run test:e2e`: Nest applications and clients, on the embedded broker or on KAFKA_BOOTSTRAP_SERVERS. */
export default { ...base, testRegex: '\\.e2e-spec\\.ts$', testTimeout: 120_000 };
