/**
 * Our table of error codes is Kafka's: codes, names, what is retriable, and what asks for new metadata.
 */
import { ErrorCode, errorMessage, errorName, isMetadataError, isRetriable } from '@kafka-template/protocol';
import { askKafka } from './kafka-codec.js';

interface KafkaError {
  readonly code: number;
  readonly name: string;
  readonly retriable: boolean;
  readonly staleMetadata: boolean;
}

describe('error codes', () => {
  it('are those of Apache Kafka', async () => {
    const [answer] = await askKafka<{ errors: KafkaError[] }>(['{"op":"errors"}']);
    const ours = Object.values(ErrorCode).map((code) => ({
      code,
      name: errorName(code),
      retriable: isRetriable(code),
      staleMetadata: isMetadataError(code),
    }));
    expect(ours).toEqual(answer?.errors);
    for (const code of Object.values(ErrorCode)) expect(errorMessage(code)).toMatch(/^[A-Za-z].*\.$/);
  });
});
