/**
 * What tests of applications need: a broker in the process, and a driver without any broker.
 */
export { ClusterFake, driverError } from './cluster-fake.js';
export { ConsumerFake } from './consumer-fake.js';
export { AdminFake, DriverFake, ProducerFake } from './driver-fake.js';
export { FakeClock } from './fake-clock.js';
export { KafkaTest, type KafkaTestOptions, type TakeOptions, type TakenRecord } from './kafka-test.js';
