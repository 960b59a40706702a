/**
 * Holds what is remembered in memory, for the options of Kafka, which tell it how sends end, and for the application.
 */
import { Module } from '@nestjs/common';
import { OrderView } from '../orders/order-view.js';
import { Activity } from './activity.js';

/** Exports {@link Activity} and {@link OrderView}. */
@Module({ providers: [Activity, OrderView], exports: [Activity, OrderView] })
export class ActivityModule {}
