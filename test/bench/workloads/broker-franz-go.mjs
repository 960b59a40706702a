/**
 * What Kafka's own tools cannot do to a broker, by our program on franz-go (`franz-go/`): requests of one record on many
 * connections at once, so that the broker is the limit; reading the same records many times; latency at a given rate.
 *
 * Each workload gets `{ bootstrapServers, pid, topic, partitions, records, recordBytes }` and flags of the program in
 * camelCase. Needs Go, once, to build the program.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { measureProcess } from '../support/process-stats.mjs';

const HOME = fileURLToPath(new URL('../franz-go/', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../.cache/franz-go-load', import.meta.url));

/** Builds the program; Go itself knows when there is nothing to do. */
export function buildLoad() {
  const { status, error } = spawnSync('go', ['build', '-mod=readonly', '-o', PROGRAM, '.'], {
    cwd: HOME,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0)
    throw new Error(`The load generator could not be built: ${error?.message ?? 'see what Go said above.'}`);
}

function flagsOf(parameters) {
  return Object.entries(parameters).flatMap(([name, value]) => [
    `-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    String(value),
  ]);
}

const workload =
  (kind) =>
  ({ bootstrapServers: servers, pid, ...parameters }) =>
    measureProcess({ pid, ...parameters }, () => {
      const { status, stdout, stderr } = spawnSync(PROGRAM, [kind, ...flagsOf({ servers, ...parameters })], {
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`The load generator failed: ${stderr}`);
      return JSON.parse(stdout);
    });

export default {
  franzProduce: workload('produce'),
  franzSingles: workload('singles'),
  franzConsume: workload('consume'),
  franzLatency: workload('latency'),
};
