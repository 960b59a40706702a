/**
 * The repository's files as the house rules see them: path, text, and for TypeScript the syntax tree and the imports.
 *
 * Paths are relative to the root and use `/`. Nothing is type checked here; that is the compiler's work.
 * What git ignores (products, caches, data) is not read.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Where the repository is. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');

const IGNORED_FOLDERS = new Set(['node_modules', 'dist', 'coverage', '.git', '.data', '.cache']);

/** A file larger than this is data: captured frames, tables. It is not read as prose or code. */
const TEXT_BYTES_MAX = 2_000_000;

/** One `import`, `export … from` or `import()` of a file. */
export interface Import {
  readonly specifier: string;
  /** The file it means when it is relative, `.js` turned into `.ts`; the specifier itself otherwise. */
  readonly target: string;
  readonly relative: boolean;
  /** Nothing of it is left at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

/** One TypeScript file, parsed. */
export class Source {
  readonly ast: ts.SourceFile;
  readonly imports: readonly Import[];

  constructor(
    readonly path: string,
    readonly text: string,
  ) {
    this.ast = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
    this.imports = importsOf(this.ast, path);
  }

  /** A spec, a suite that several specs share, or what sets their scene: never shipped. */
  get isSpec(): boolean {
    return /([.-]spec|\.suite|\.fixture)\.ts$/.test(this.path);
  }

  /** In a folder called testing: fakes and kits, which may know everything. */
  get isTestKit(): boolean {
    return this.inside.split('/').slice(0, -1).includes('testing');
  }

  /** `libs/broker` for `libs/broker/src/log/log.ts`, `apps/demo`, `src`, `test`. */
  get home(): string {
    const [first = '', second = ''] = this.path.split('/');
    return first === 'libs' || first === 'apps' ? `${first}/${second}` : first;
  }

  /** The path inside the home's source folder: `log/log.ts`. */
  get inside(): string {
    return this.path.slice(this.home.length + 1).replace(/^src\//, '');
  }

  /** The first folder inside the source folder, or '' for a file at its top. */
  get layer(): string {
    const slash = this.inside.indexOf('/');
    return slash < 0 ? '' : this.inside.slice(0, slash);
  }

  /** 1-based line of a node. */
  lineOf(node: ts.Node): number {
    return this.ast.getLineAndCharacterOfPosition(node.getStart(this.ast)).line + 1;
  }

  /** Calls `visit` for every node of the file. */
  walk(visit: (node: ts.Node) => void): void {
    const step = (node: ts.Node): void => {
      visit(node);
      ts.forEachChild(node, step);
    };
    step(this.ast);
  }
}

/** All text files of the repository: path → text. */
export function readTextFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const path of listFiles('')) {
    const bytes = readFileSync(join(ROOT, path));
    if (bytes.length <= TEXT_BYTES_MAX && !bytes.includes(0)) files.set(path, bytes.toString('utf8'));
  }
  return files;
}

/** The TypeScript files among them, parsed. */
export function parseSources(files: ReadonlyMap<string, string>): Source[] {
  return [...files]
    .filter(([path]) => /^(src|libs|apps|test)\/.*\.ts$/.test(path) && !path.endsWith('.d.ts'))
    .map(([path, text]) => new Source(path, text));
}

function listFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return IGNORED_FOLDERS.has(entry.name) ? [] : listFiles(path);
    return entry.isFile() ? [path] : [];
  });
}

function importsOf(ast: ts.SourceFile, path: string): Import[] {
  const imports: Import[] = [];
  const add = (literal: ts.Expression | undefined, typeOnly: boolean): void => {
    if (literal === undefined || !ts.isStringLiteralLike(literal)) return;
    const specifier = literal.text;
    const relative = specifier.startsWith('.');
    const joined = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
    const line = ast.getLineAndCharacterOfPosition(literal.getStart(ast)).line + 1;
    imports.push({ specifier, target: relative ? joined : specifier, relative, typeOnly, line });
  };
  const step = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyImport(node));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    } else if (ts.isNewExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'URL') {
      // new URL('./worker.js', import.meta.url): the file of a worker.
      const first = node.arguments?.[0];
      if (first !== undefined && ts.isStringLiteralLike(first) && /^\.{1,2}\/.*\.js$/.test(first.text))
        add(first, false);
    }
    ts.forEachChild(node, step);
  };
  step(ast);
  return imports;
}

function isTypeOnlyImport(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  if (clause.name !== undefined || named === undefined || !ts.isNamedImports(named)) return false;
  return named.elements.length > 0 && named.elements.every((element) => element.isTypeOnly);
}
