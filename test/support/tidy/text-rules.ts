/**
 * House rules about any text file: what must not leak from somebody's machine, and files that belong together.
 */
import type { Repository, Rule } from './rule.js';

/** Home folders and mount points of a machine. Written in pieces, so that this file does not break its own rule. */
const MACHINE_PATHS = new RegExp(
  `(^|[\\s"'\`(=:,])/(${['home', 'Users', 'root', 'work', 'workspace', 'mnt'].join('|')})/[\\w.-]`,
);
const WINDOWS_PATHS = /\b[A-Z]:\\(Users|Documents)\b/;

/** Where packages are downloaded from is a matter of the machine that does it. */
const REGISTRY_HOSTS = new RegExp(
  `https?://[\\w.-]*(${['registry', 'artifactory', 'nexus', 'mirror', 'proxy', 'repo1?\\.maven', 'pypi'].join('|')})[\\w.-]*`,
  'i',
);

/** The rules of this file. */
export const TEXT_RULES: readonly Rule[] = [
  {
    name: 'no absolute path of a machine',
    advice: 'Write it relative to the repository, or ask the system for a temporary folder.',
    broken: { 'README.md': `see /${'home'}/alice/kafka\n` },
    find: ({ files }) => linesMatching(files, (line) => MACHINE_PATHS.test(line) || WINDOWS_PATHS.test(line)),
  },
  {
    name: 'no host name of a package registry',
    advice: 'Leave it to the configuration of npm, Maven or pip; .npmrc keeps it out of the lock file.',
    broken: { 'package-lock.json': `"resolved": "https://${'registry'}.example.org/x.tgz"\n` },
    find: ({ files }) => linesMatching(files, (line) => REGISTRY_HOSTS.test(line)),
  },
  {
    name: 'a request handler is named like the messages it answers',
    advice:
      'Give libs/broker/src/api/handlers/NN-name.ts the number and name of libs/protocol/src/messages/NN-name.ts.',
    broken: { 'libs/broker/src/api/handlers/00-publish.ts': '', 'libs/protocol/src/messages/00-produce.ts': '' },
    find: strayHandlers,
  },
  {
    name: 'all packages have the version of the root',
    advice: 'They are released together: change them together.',
    broken: { 'package.json': '{"version":"2.0.0"}', 'libs/client/package.json': '{"version":"1.0.0"}' },
    find: differentVersions,
  },
];

function linesMatching(files: ReadonlyMap<string, string>, matches: (line: string) => boolean): string[] {
  return [...files].flatMap(([path, text]) =>
    text
      .split('\n')
      .flatMap((line, index) => (matches(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

function strayHandlers({ files }: Repository): string[] {
  const handlers = [...files.keys()].filter((path) => /^libs\/broker\/src\/api\/handlers\/\d\d-[\w-]+\.ts$/.test(path));
  return handlers.filter((path) => !files.has(`libs/protocol/src/messages/${path.slice(path.lastIndexOf('/') + 1)}`));
}

function differentVersions({ files }: Repository): string[] {
  const manifests = [...files].filter(([path]) => /^((libs|apps)\/[^/]+\/)?package\.json$/.test(path));
  const versions = manifests.map(([path, text]) => [path, (JSON.parse(text) as { version?: string }).version] as const);
  const expected = versions.find(([path]) => path === 'package.json')?.[1];
  return versions.filter(([, version]) => version !== expected).map(([path, version]) => `${path}: ${version}`);
}
