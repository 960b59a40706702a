/**
 * Holds the counters, for the options of Kafka and for the application.
 */
import { Module } from '@nestjs/common';
import { Activity } from './activity.js';

/** Exports {@link Activity}. */
@Module({ providers: [Activity], exports: [Activity] })
export class ActivityModule {}
