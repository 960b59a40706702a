/**
 * Loads kafkajs when a driver first needs it: it is an optional peer, and an application without it pays nothing.
 */
import { createRequire } from 'node:module';
import { KafkaJsError } from './kafkajs.error.js';
import type { KafkaJsModule } from './kafkajs.types.js';

/** kafkajs as installed beside the application. Throws CONFIG, with what to do, when it is absent or not kafkajs 2. */
export function loadKafkaJs(): KafkaJsModule {
  let loaded: unknown;
  try {
    loaded = createRequire(import.meta.url)('kafkajs');
  } catch (cause) {
    throw new KafkaJsError(
      'CONFIG',
      "The driver 'kafkajs' needs the package kafkajs, which could not be loaded. Install it (npm install kafkajs@2), " +
        'hand it in (kafkajsDriver({ kafkajs })), or leave out `driver` to use the client that comes with this library.',
      { fatal: true, cause },
    );
  }
  return checkKafkaJs(loaded);
}

/** The same for a module that was handed in, such as a fork. */
export function checkKafkaJs(candidate: unknown): KafkaJsModule {
  const outer = candidate as (Partial<KafkaJsModule> & { default?: unknown }) | null | undefined;
  const module = outer?.Kafka === undefined ? (outer?.default as Partial<KafkaJsModule> | undefined) : outer;
  if (module?.Kafka === undefined || module.CompressionCodecs === undefined || module.AssignerProtocol === undefined) {
    throw new KafkaJsError(
      'CONFIG',
      'What was given or found as kafkajs is not kafkajs 2: it has no Kafka, CompressionCodecs and AssignerProtocol.',
      { fatal: true },
    );
  }
  return module as KafkaJsModule;
}
