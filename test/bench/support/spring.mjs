/** The program of `spring/`: its jars by Maven and its classes by javac, on first use, in `test/interop/.cache`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HOME = fileURLToPath(new URL('../spring/', import.meta.url));
const POM = join(HOME, 'pom.xml');
const SOURCE = join(HOME, 'SpringBench.java');
const CACHE = fileURLToPath(new URL('../../interop/.cache/', import.meta.url));

/** Whether Java and Maven can be called. */
export function hasJava() {
  return ['java', 'javac', 'mvn'].every((tool) => spawnSync(tool, ['-version'], { stdio: 'ignore' }).status === 0);
}

function run(command, parameters, what) {
  const { status, error, stdout, stderr } = spawnSync(command, parameters, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(
    `${what} by \`${command}\`: ${error?.message ?? ''}\n${stdout ?? ''}${stderr ?? ''}\n` +
      'Install Java 17 or newer with `javac`, and `mvn`, and check that Maven can reach its repository.',
  );
}

/** Installs what is not there; returns Java's class path. */
export function installSpring() {
  const version = /<version>(\d[^<]+)</.exec(readFileSync(POM, 'utf8'))[1];
  const home = join(CACHE, `spring-boot-${version}`);
  const jars = join(home, 'lib');
  const classes = join(home, 'classes');
  mkdirSync(home, { recursive: true });
  if (!existsSync(jars)) {
    process.stderr.write('installing Spring\n');
    const fresh = `${jars}.${process.pid}`;
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${fresh}`];
    try {
      run('mvn', ['-q', '-B', '-f', POM, ...goal], `Spring Boot ${version} could not be installed`);
    } catch (error) {
      rmSync(fresh, { recursive: true, force: true });
      throw error;
    }
    // Renamed when complete: an interrupted installation is not taken for a whole one.
    renameSync(fresh, jars);
  }
  const compiled = join(classes, 'SpringBench.class');
  if (!existsSync(compiled) || statSync(compiled).mtimeMs < statSync(SOURCE).mtimeMs) {
    const parameters = ['-parameters', '-d', classes, '-cp', join(jars, '*'), SOURCE];
    run('javac', parameters, 'The program of the bench could not be compiled');
  }
  return [classes, join(jars, '*')].join(delimiter);
}
