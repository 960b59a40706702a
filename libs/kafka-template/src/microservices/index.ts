/**
 * `@EventPattern` and `@MessagePattern` handlers of @nestjs/microservices on the containers of this library.
 */
export { KafkaTemplateContext } from './kafka-template.context.js';
export {
  KafkaTemplateStrategy,
  type KafkaTemplateStrategyOptions,
  type ProviderSource,
} from './kafka-template.strategy.js';
export { OriginalErrorFilter } from './original-error.filter.js';
export { PatternHandlerError } from './pattern-handler.error.js';
