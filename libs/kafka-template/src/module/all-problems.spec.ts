import { Injectable } from '@nestjs/common';
import { KafkaListener } from '../decorators/kafka-listener.decorator.js';
import { KafkaOptionsError } from '../errors.js';
import { ModuleFixture } from './module.fixture.js';

@Injectable()
class First {
  @KafkaListener({ topics: 'orders', ackMod: 'batch' } as never)
  onOrder(_order: string) {}
}

@Injectable()
class Second {
  @KafkaListener({ topics: [] })
  onOrder(_order: string, _other: string) {}

  @KafkaListener({ topics: 'orders' })
  onFine(_order: string) {}
}

async function problemsWith(options: object): Promise<readonly string[]> {
  const fixture = new ModuleFixture();
  const error: unknown = await fixture
    .start({ providers: [First, Second] }, options)
    .catch((thrown: unknown) => thrown);
  await fixture.close();
  if (error instanceof KafkaOptionsError) return error.problems;
  throw new Error('the application started');
}

const LISTENERS = [
  expect.stringMatching(/^@KafkaListener on First#onOrder: ackMod is not an option: did you mean ackMode\?/),
  expect.stringMatching(/^@KafkaListener on Second#onOrder: parameter 1 has no meaning/),
  expect.stringMatching(/^@KafkaListener on Second#onOrder: parameter 2 has no meaning/),
  expect.stringMatching(/^@KafkaListener on Second#onOrder: topics must be names/),
];

describe('module: all problems in one error', () => {
  it('those of several listeners', async () => {
    expect(await problemsWith({})).toEqual(LISTENERS);
  });

  it('those of the module and of listeners', async () => {
    expect(await problemsWith({ template: { defaultTopik: 'x' } })).toEqual([
      'KafkaModule: template.defaultTopik is not an option: did you mean defaultTopic?',
      ...LISTENERS,
    ]);
  });
});
