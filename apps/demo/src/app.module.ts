/**
 * The application: orders come in by HTTP, go through Kafka, are billed and shipped by listeners.
 */
import { type DynamicModule, Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { CompositeProducerListener, KafkaModule, newTopic } from '@kafka-template/nestjs';
import { BillingListener } from './orders/billing.listener.js';
import { FailureLog } from './orders/failure-log.js';
import { OrderViewListener } from './orders/order-view.listener.js';
import { OrderView } from './orders/order-view.js';
import { OrdersController } from './orders/orders.controller.js';
import { OrdersService } from './orders/orders.service.js';
import { ShippingListener } from './orders/shipping.listener.js';
import { Topic } from './orders/topic.js';
import { ViewProgress } from './orders/view-progress.js';
import { Activity } from './status/activity.js';
import { ActivityModule } from './status/activity.module.js';
import { Cluster } from './status/cluster.js';
import { StatusController } from './status/status.controller.js';

/** How long the start waits for a broker that does not answer; the topics are then created in the background. */
const START_TIMEOUT_MS = 1500;

/** How long the end waits for a listener in the middle of a record, and then for what was sent. Together below 2 s. */
const LISTENER_TIMEOUT_MS = 800;
const CLOSE_TIMEOUT_MS = 300;

/** A person is watching: what cannot be sent fails in seconds, not in two minutes. */
const PRODUCER = { deliveryTimeoutMs: 10_000, requestTimeoutMs: 5_000, maxBlockMs: 10_000 };

/**
 * The least a broker allows. A member that was killed is missed after this time, and its partitions are read by nobody
 * until then.
 */
export const SESSION_TIMEOUT_MS = 6_000;
const HEARTBEAT_INTERVAL_MS = 1_500;

/** Where the application runs. */
export interface AppOptions {
  readonly bootstrapServers: string;
  /**
   * Makes the listeners static members (KIP-345): started again, even after a kill, they have their partitions back at
   * once. Only one application at a time may use a name. Default: ordinary members.
   */
  readonly groupInstanceId?: string;
}

/** The root module. */
@Module({
  controllers: [OrdersController, StatusController],
  providers: [
    OrdersService,
    Cluster,
    ViewProgress,
    BillingListener,
    ShippingListener,
    OrderViewListener,
    // For HTTP bodies and for the payloads of listeners alike.
    {
      provide: APP_PIPE,
      useValue: new ValidationPipe({
        whitelist: true,
        forbidNonWhitelisted: true,
        transform: true,
        stopAtFirstError: true,
      }),
    },
  ],
})
export class AppModule {
  /** The application on a cluster. */
  static on({ bootstrapServers, groupInstanceId }: AppOptions): DynamicModule {
    const kafka = KafkaModule.forRootAsync({
      imports: [ActivityModule],
      inject: [Activity, OrderView],
      useFactory: (activity: Activity, view: OrderView) => ({
        bootstrapServers,
        clientId: 'demo',
        consumer: {
          autoOffsetReset: 'earliest' as const,
          groupInstanceId,
          sessionTimeoutMs: SESSION_TIMEOUT_MS,
          heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
        },
        producer: PRODUCER,
        listener: { shutdownTimeoutMs: LISTENER_TIMEOUT_MS },
        template: { closeTimeoutMs: CLOSE_TIMEOUT_MS },
        admin: { startTimeoutMs: START_TIMEOUT_MS },
        topics: [newTopic(Topic.ORDERS, { partitions: 3 }), newTopic(Topic.INVOICES, { partitions: 3 })],
        producerListener: new CompositeProducerListener(activity, new FailureLog(view), view),
      }),
    });
    return { module: AppModule, imports: [ActivityModule, kafka] };
  }
}
