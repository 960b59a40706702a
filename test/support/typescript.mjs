/** `node --import test/support/typescript.mjs src/main.ts`: runs TypeScript sources as they are, for tests that spawn. */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
