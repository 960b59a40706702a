import 'reflect-metadata';
import { Acknowledgment } from '../commit/acknowledgment.js';
import { ROUTE_ARGUMENTS_METADATA, type ParameterNotes } from '../decorators/metadata.js';
import { Ack, KafkaHeader, KafkaKey, KafkaRecord, Payload } from '../decorators/parameter.decorators.js';
import { Consumer } from '../listener/consumer.js';
import { ConsumerRecord } from '../record/consumer-record.js';
import { planParameters } from './parameter-plan.js';

class Order {}

/* eslint-disable @typescript-eslint/no-unused-vars -- the methods exist for their signatures */
class Listeners {
  one(order: Order) {}
  text(line: string) {}
  byType(record: ConsumerRecord, ack: Acknowledgment, consumer: Consumer, order: Order) {}
  recordOnly(record: ConsumerRecord) {}
  decorated(@Payload() bytes: Buffer, @KafkaKey() key: number, @KafkaHeader('raw') raw: Buffer, @Ack() ack: unknown) {}
  property(@Payload('id') id: string) {}
  twoUnknown(order: Order, other: Order) {}
  unknownBeside(@Payload() order: Order, other: string) {}
  viaRecord(@KafkaRecord() record: unknown) {}
}
/* eslint-enable @typescript-eslint/no-unused-vars */

function plan(method: keyof Listeners, types: readonly unknown[]) {
  const notes = (Reflect.getMetadata(ROUTE_ARGUMENTS_METADATA, Listeners, method) ?? {}) as ParameterNotes;
  return planParameters(notes, types, Listeners.prototype[method].length);
}

describe('discovery: what parameters receive', () => {
  it('a single parameter is the payload, read as its type asks', () => {
    expect(plan('one', [Order])).toMatchObject({ payload: 'json', implied: [{ index: 0, kind: 3 }], problems: [] });
    expect(plan('text', [String])).toMatchObject({ payload: 'text' });
    expect(plan('one', [Object])).toMatchObject({ payload: 'auto' });
    expect(plan('one', [])).toMatchObject({ payload: 'auto' });
  });

  it('ConsumerRecord, Acknowledgment and Consumer are known by their types', () => {
    expect(plan('byType', [ConsumerRecord, Acknowledgment, Consumer, Order])).toMatchObject({
      payload: 'json',
      wantsAcknowledgment: true,
      implied: [{ kind: 102 }, { kind: 103 }, { kind: 104 }, { index: 3, kind: 3 }],
    });
    expect(plan('recordOnly', [ConsumerRecord]).payload).toBeUndefined();
  });

  it('decorators decide where they are; types say how bytes are read', () => {
    const decorated = plan('decorated', [Buffer, Number, Buffer, Object]);
    expect(decorated).toMatchObject({ payload: 'bytes', key: 'json', wantsAcknowledgment: true, implied: [] });
    expect([...decorated.binaryHeaders]).toEqual(['raw']);
    expect(plan('property', [String]).payload).toBe('json');
    expect(plan('viaRecord', [Object])).toMatchObject({ payload: undefined, implied: [], problems: [] });
  });

  it('says which parameter has no meaning, and what to do', () => {
    expect(plan('twoUnknown', [Order, Order]).problems).toEqual([
      expect.stringMatching(/^parameter 1 has no meaning: put @Payload/),
      expect.stringMatching(/^parameter 2/),
    ]);
    expect(plan('unknownBeside', [Order, String]).problems).toEqual([expect.stringMatching(/^parameter 2/)]);
  });
});
