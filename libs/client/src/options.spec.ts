import { KafkaError } from './errors.js';
import { CLIENT_OPTION_TABLE, resolveOptions } from './options.js';
import { resolveProducerOptions } from './producer/producer-options.js';

/** Options as code without types would pass them. */
function failureOf(options: Record<string, unknown>): KafkaError {
  try {
    resolveProducerOptions({ bootstrapServers: 'localhost:9092', ...options });
  } catch (thrown) {
    if (thrown instanceof KafkaError) return thrown;
    throw thrown;
  }
  throw new Error('the options were accepted');
}

describe('client options', () => {
  it("fills in Kafka's defaults", () => {
    expect(resolveOptions('admin', CLIENT_OPTION_TABLE, { bootstrapServers: 'localhost:9092' })).toMatchObject({
      bootstrapServers: [{ host: 'localhost', port: 9092 }],
      clientId: 'kafka-template',
      requestTimeoutMs: 30_000,
      socketConnectionSetupTimeoutMs: 10_000,
      reconnectBackoffMs: 50,
      reconnectBackoffMaxMs: 1_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 1_000,
      metadataMaxAgeMs: 300_000,
      connectionsMaxIdleMs: 540_000,
    });
  });

  it.each([
    ['a:1,b:2', ['a:1', 'b:2']],
    [' a:1 , b:2 ', ['a:1', 'b:2']],
    [
      ['a:1', '[::1]:2'],
      ['a:1', '::1:2'],
    ],
  ])('reads bootstrapServers %j', (value, expected) => {
    const { bootstrapServers } = resolveOptions('admin', CLIENT_OPTION_TABLE, { bootstrapServers: value });
    expect(bootstrapServers.map(({ host, port }) => `${host}:${port}`)).toEqual(expected);
  });

  it.each<[Record<string, unknown>, string | RegExp]>([
    [{ lingerms: 5 }, 'Unknown option "lingerms" of the producer. Did you mean "lingerMs"?'],
    [{ 'linger.ms': 5 }, 'Unknown option "linger.ms" of the producer. Did you mean "lingerMs"?'],
    [
      { brokers: ['a:1'] },
      /^Unknown option "brokers" of the producer\. The producer's options are: bootstrapServers, /,
    ],
    [{ lingerMs: '5' }, 'Option "lingerMs" must be a whole number from 0 to 2147483647, not "5".'],
    [{ lingerMs: -1 }, 'Option "lingerMs" must be a whole number from 0 to 2147483647, not -1.'],
    [{ lingerMs: 1.5 }, 'Option "lingerMs" must be a whole number from 0 to 2147483647, not 1.5.'],
    [{ acks: 2 }, 'Option "acks" must be one of "all", -1, 0, 1, not 2.'],
    [
      { compressionType: 'brotli' },
      'Option "compressionType" must be one of "none", "gzip", "snappy", "lz4", "zstd", not "brotli".',
    ],
    [{ enableIdempotence: 'yes' }, 'Option "enableIdempotence" must be true or false, not "yes".'],
    [{ clientId: '' }, 'Option "clientId" must be a non-empty string, not "".'],
    [{ partitioner: () => 0 }, 'Option "partitioner" must be an object with the method partition, not a function.'],
    [{ logger: {} }, 'Option "logger" must be an object with the methods debug, info, warn and error, not an object.'],
    [{ bootstrapServers: undefined }, 'Option "bootstrapServers" of the producer is missing.'],
    [
      { bootstrapServers: [] },
      'Option "bootstrapServers" must be a string "host:port[,host:port…]" or an array of such strings, not an array.',
    ],
    [
      { bootstrapServers: 'localhost' },
      'Option "bootstrapServers" has the invalid address "localhost". Write host:port, for example "localhost:9092"; ' +
        'separate several by commas or give an array.',
    ],
    [
      { bootstrapServers: 'localhost:99999' },
      /^Option "bootstrapServers" has the invalid address "localhost:99999"\. Write host:port/,
    ],
    [
      { enableIdempotence: true, acks: 1 },
      'Option "enableIdempotence" needs "acks" to be "all", not 1. Change it, or set enableIdempotence to false.',
    ],
    [
      { enableIdempotence: true, maxInFlightRequestsPerConnection: 6 },
      'Option "enableIdempotence" needs "maxInFlightRequestsPerConnection" to be at most 5, not 6. ' +
        'Change it, or set enableIdempotence to false.',
    ],
    [
      { deliveryTimeoutMs: 1000 },
      'Option "deliveryTimeoutMs" must be at least "lingerMs" + "requestTimeoutMs" (30000), not 1000.',
    ],
  ])('refuses %j', (options, message) => {
    const error = failureOf(options);
    expect(error.code).toBe('CONFIG');
    if (typeof message === 'string') expect(error.message).toBe(message);
    else expect(error.message).toMatch(message);
  });

  it('gives way to what was set by name: idempotence to acks, the delivery timeout to the request timeout', () => {
    const base = { bootstrapServers: 'localhost:9092' };
    expect(resolveProducerOptions(base)).toMatchObject({
      acks: -1,
      enableIdempotence: true,
      deliveryTimeoutMs: 120_000,
    });
    expect(resolveProducerOptions({ ...base, acks: 1 })).toMatchObject({ acks: 1, enableIdempotence: false });
    expect(resolveProducerOptions({ ...base, requestTimeoutMs: 200_000 }).deliveryTimeoutMs).toBe(200_000);
  });
});
