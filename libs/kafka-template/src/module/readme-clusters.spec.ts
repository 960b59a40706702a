/**
 * The section on clusters of the README: its program runs here, on drivers without a broker.
 */
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InjectKafkaTemplate, KafkaListener, KafkaModule, KafkaTemplate, getKafkaDriverToken } from '../index.js';
import { DriverFake } from '../testing/driver-fake.js';
import { FakeClock } from '../testing/fake-clock.js';
import { readmePrograms } from './readme.fixture.js';
import { SILENT } from './module.fixture.js';

// <readme>
@Injectable()
class Invoices {
  constructor(
    private readonly kafka: KafkaTemplate, // of the forRoot without a name
    @InjectKafkaTemplate('billing') private readonly billing: KafkaTemplate,
    @InjectKafkaTemplate('audit') private readonly audit: KafkaTemplate,
  ) {}

  @KafkaListener({ topics: 'payments', groupId: 'invoices', cluster: 'billing' })
  onPayment(payment: { id: string }) {
    this.kafka.send('paid', payment.id, payment);
    this.audit.sendDefault(payment.id, payment);
  }
}

@Module({
  imports: [
    KafkaModule.forRoot({ bootstrapServers: 'shop.example:9092' }),
    KafkaModule.forRoot({ name: 'billing', bootstrapServers: 'billing.example:9092' }),
    KafkaModule.forFeature([{ name: 'audit', profile: 'throughput', defaultTopic: 'audit' }]),
  ],
  providers: [Invoices],
})
class InvoicesModule {}
// </readme>

it('the README shows several clusters that work', async () => {
  const shop = new DriverFake(new FakeClock());
  const billing = new DriverFake(new FakeClock());
  billing.cluster.createTopic('payments');
  const builder = Test.createTestingModule({ imports: [InvoicesModule] })
    .overrideProvider(getKafkaDriverToken())
    .useValue(shop)
    .overrideProvider(getKafkaDriverToken('billing'))
    .useValue(billing);
  const app = await builder.setLogger(SILENT).compile();
  await app.init();
  await billing.consumers[0]?.parked();
  billing.cluster.append({ topic: 'payments', value: '{"id":"7"}' });
  await billing.consumers[0]?.parked();
  const sent = shop.producers.flatMap(({ appended }) => appended.map(({ topic, key }) => [topic, key]));
  expect(sent.sort()).toEqual([
    ['audit', '7'],
    ['paid', '7'],
  ]);
  await app.close();
});

it('the README shows these lines', () => {
  for (const program of readmePrograms(import.meta.filename)) expect(program.readme).toContain(program.text);
});
