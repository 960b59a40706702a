import { driverError } from '../testing/cluster-fake.js';
import { ContainerFixture } from './container.fixture.js';
import { warnOfMissingTopics } from './missing-topics.js';

describe('missing topics, without missingTopicsFatal', () => {
  const logged: string[] = [];
  const say = (level: string) => (message: string) => void logged.push(`${level} ${message}`);
  const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };

  beforeEach(() => logged.splice(0));

  it('warns once and names those that are missing, and what to do', async () => {
    const { driver, settings } = new ContainerFixture();
    const source = { kind: 'topics', topics: ['t', 'nowhere', 'no-such'] } as const;
    await warnOfMissingTopics({ ...settings, source }, driver.createAdmin({}), log);
    expect(logged).toEqual([
      expect.stringMatching(/^warn Listener l reads topic\(s\) \[nowhere, no-such\], which do not exist yet:/),
    ]);
    expect(logged[0]).toContain('newTopic');
  });

  it('says nothing when all are there, or when none is named', async () => {
    const { driver, settings } = new ContainerFixture();
    await warnOfMissingTopics(settings, driver.createAdmin({}), log);
    const source = { kind: 'pattern', pattern: /^none/ } as const;
    await warnOfMissingTopics({ ...settings, source }, driver.createAdmin({}), log);
    expect(logged).toEqual([]);
  });

  it('no answer is no news', async () => {
    const { driver, settings } = new ContainerFixture();
    const admin = driver.createAdmin({});
    admin.errors.push(driverError('NETWORK'));
    await warnOfMissingTopics(settings, admin, log);
    expect(logged).toEqual(['debug Listener l: its topics could not be checked: scripted NETWORK']);
  });
});
