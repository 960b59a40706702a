/**
 * Shows in a quarter of a minute that the bench `template` works, on the bundled broker and without a JVM. With so few records
 * nothing is warm: its figures say little.
 */
import template from './template.bench.mjs';

const SCALE = 0.01;

export default function templateSmoke({ runs }) {
  const only = ['ours', '@kafka-template/client', '@nestjs/microservices'];
  return template({ runs, on: 'ours', only, scale: SCALE });
}
