/** `npm run clean`: removes what build and tests wrote. Data directories and installed packages stay. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

for (const group of ['libs/', 'apps/']) {
  for (const name of readdirSync(new URL(group, root))) remove(`${group}${name}/dist`);
}
remove('dist');
remove('coverage');

function remove(path) {
  const url = new URL(path, root);
  if (existsSync(url)) rmSync(fileURLToPath(url), { recursive: true });
}
