import { readFileSync } from 'node:fs';
import { CAPABILITY_MEANINGS, type DriverCapability } from './driver-capabilities.js';
import { silentLog } from '../io/log.js';
import { KAFKAJS_CAPABILITIES } from './kafkajs/kafkajs.driver.js';
import { nativeDriver } from './native/native.driver.js';

const README = new URL('../../README.md', import.meta.url);

describe('capabilities', () => {
  it('the table in the README says what the drivers declare', () => {
    const native = nativeDriver(silentLog).capabilities;
    const rows = (Object.keys(CAPABILITY_MEANINGS) as DriverCapability[]).map((name) => {
      const marks = [native[name], KAFKAJS_CAPABILITIES[name]].map((can) => (can ? 'yes' : '–'));
      return `| ${[`\`${name}\``, CAPABILITY_MEANINGS[name], ...marks].join(' | ')} |`;
    });
    const table = ['| Capability | Meaning | native | kafkajs |', '| --- | --- | --- | --- |', ...rows].join('\n');
    expect(readFileSync(README, 'utf8')).toContain(`\n${table}\n`);
  });
});
