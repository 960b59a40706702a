import { featuresAt } from './features.js';

describe('the features of this broker', () => {
  it('are those of Apache Kafka 4.3 that clients act on', () => {
    const { supportedFeatures, finalizedFeatures } = featuresAt(4);
    expect(supportedFeatures).toEqual([
      { name: 'group.version', minVersion: 0, maxVersion: 1 },
      { name: 'share.version', minVersion: 0, maxVersion: 1 },
      { name: 'transaction.version', minVersion: 0, maxVersion: 2 },
    ]);
    expect(finalizedFeatures).toEqual([
      { name: 'group.version', minVersionLevel: 1, maxVersionLevel: 1 },
      { name: 'share.version', minVersionLevel: 1, maxVersionLevel: 1 },
      { name: 'transaction.version', minVersionLevel: 2, maxVersionLevel: 2 },
    ]);
  });

  it('begin at 0, which clients before version 4 cannot read', () => {
    expect(featuresAt(3)).toMatchObject({ supportedFeatures: [], finalizedFeatures: [{}, {}, {}] });
  });
});
