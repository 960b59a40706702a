/**
 * The application: orders come in by HTTP, go through Kafka, are billed and shipped by listeners.
 */
import { type DynamicModule, Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import {
  CompositeProducerListener,
  KafkaModule,
  LoggingProducerListener,
  nestLog,
  newTopic,
} from '@kafka-template/nestjs';
import { BillingListener } from './orders/billing.listener.js';
import { OrderViewListener } from './orders/order-view.listener.js';
import { OrderView } from './orders/order-view.js';
import { OrdersController } from './orders/orders.controller.js';
import { OrdersService } from './orders/orders.service.js';
import { ShippingListener } from './orders/shipping.listener.js';
import { Topic } from './orders/topic.js';
import { Activity } from './status/activity.js';
import { ActivityModule } from './status/activity.module.js';
import { StatusController } from './status/status.controller.js';

/** How long the end waits for a broker that does not answer. */
const CLOSE_TIMEOUT_MS = 1500;

/** The root module. */
@Module({
  controllers: [OrdersController, StatusController],
  providers: [
    OrdersService,
    OrderView,
    BillingListener,
    ShippingListener,
    OrderViewListener,
    // For HTTP bodies and for the payloads of listeners alike.
    {
      provide: APP_PIPE,
      useValue: new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }),
    },
  ],
})
export class AppModule {
  /** The application on a cluster. */
  static on(bootstrapServers: string): DynamicModule {
    const kafka = KafkaModule.forRootAsync({
      imports: [ActivityModule],
      inject: [Activity],
      useFactory: (activity: Activity) => ({
        bootstrapServers,
        clientId: 'demo',
        consumer: { autoOffsetReset: 'earliest' as const },
        template: { closeTimeoutMs: CLOSE_TIMEOUT_MS },
        topics: [newTopic(Topic.ORDERS, { partitions: 3 }), newTopic(Topic.INVOICES, { partitions: 3 })],
        producerListener: new CompositeProducerListener(activity, new LoggingProducerListener(nestLog('Orders'))),
      }),
    });
    return { module: AppModule, imports: [ActivityModule, kafka] };
  }
}
