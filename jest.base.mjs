import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const rootDir = import.meta.dirname;

/** Folders that hold tests; only those that exist, since Jest refuses a root that does not. */
const roots = ['src', 'libs', 'apps', 'test'].filter((folder) => existsSync(resolve(rootDir, folder)));

/** What every Jest run of this repository shares: native ESM, TypeScript through SWC, workspace packages from source. */
export const base = {
  rootDir,
  roots: roots.map((folder) => `<rootDir>/${folder}`),
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironmentOptions: {
    // Makes `@kafka-template/*` resolve to libs/*/src instead of libs/*/dist: no build before a test.
    customExportConditions: ['kafka-template-source', 'node', 'node-addons'],
  },
  // './x.js' in TypeScript sources means './x.ts'.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/(libs|apps)/[^/]+/dist/', '/\\.cache/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  // A shared machine may be slow; a test that hangs still ends.
  testTimeout: 120_000,
  maxWorkers: 2,
  // Native ESM modules are never unloaded by Node 20: restart a worker that has grown instead.
  workerIdleMemoryLimit: '1GB',
  reporters: ['default', '<rootDir>/test/support/totals-reporter.mjs'],
};
