/**
 * The jars of Apache Kafka, by Maven: the current line and the last one before 4.0, each with all of its tools.
 *
 * Installed on first use into test/interop/.cache (ignored by git), whole or not at all. Nothing of them is shipped.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const HERE = import.meta.dirname;
const CACHE = join(HERE, '..', '.cache');
const POMS = { 4.3: 'pom.xml', 3.9: 'pom-3.9.xml' };

/** The lines that can be installed → the exact version, as in the pom of each. */
export const KAFKA_VERSIONS = Object.fromEntries(
  Object.entries(POMS).map(([line, pom]) => [
    line,
    /<kafka\.version>([^<]+)</.exec(readFileSync(join(HERE, pom), 'utf8'))[1],
  ]),
);

/** What is used where nothing else is said: KAFKA_LINE, else the current line. */
export const DEFAULT_LINE = process.env.KAFKA_LINE || '4.3';

/** Installs the jars if they are not there; returns Java's class path. */
export function installKafka(line = DEFAULT_LINE) {
  const version = KAFKA_VERSIONS[line];
  if (version === undefined) {
    throw new Error(`There is no Apache Kafka ${line} here. There are: ${Object.keys(KAFKA_VERSIONS).join(', ')}.`);
  }
  const home = join(CACHE, `kafka-${version}`);
  const jars = join(home, 'lib');
  if (!existsSync(jars)) {
    mkdirSync(home, { recursive: true });
    const fresh = `${jars}.${process.pid}`;
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${fresh}`];
    const maven = spawnSync('mvn', ['-q', '-B', '-f', join(HERE, POMS[line]), ...goal], { encoding: 'utf8' });
    if (maven.status !== 0) {
      rmSync(fresh, { recursive: true, force: true });
      throw new Error(
        `Apache Kafka ${version} could not be installed by Maven: ${maven.error?.message ?? ''}\n` +
          `${maven.stdout ?? ''}${maven.stderr ?? ''}\nInstall \`mvn\` and Java 17, and check that Maven can reach its repository.`,
      );
    }
    // Renamed when complete: an interrupted installation is not taken for a whole one.
    renameSync(fresh, jars);
  }
  return [join(HERE, 'conf'), join(jars, '*')].join(delimiter);
}
