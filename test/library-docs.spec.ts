/**
 * Everything that @kafka-template/nestjs exports has a comment, and so has every member that its users can reach.
 *
 * Read from the sources, without types: what a class takes over from an interface or another class of the library is documented
 * there. Leaves out constructors, whose classes are, and members marked `@internal`.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const SOURCES = resolve(import.meta.dirname, '../libs/kafka-template/src');
const ENTRIES = ['index.ts', 'testing/index.ts', 'microservices/index.ts'];

type Documented = ts.InterfaceDeclaration | ts.ClassDeclaration;

const files = new Map<string, ts.SourceFile>();

function parse(file: string): ts.SourceFile {
  const known = files.get(file);
  if (known !== undefined) return known;
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  files.set(file, source);
  return source;
}

/** What an entry exports: file and name there. */
function exportsOf(entry: string): [file: string, name: string][] {
  const file = join(SOURCES, entry);
  return parse(file).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined) return [];
    const from = join(dirname(file), (statement.moduleSpecifier as ts.StringLiteral).text.replace(/\.js$/, '.ts'));
    const { exportClause } = statement;
    if (exportClause === undefined || !ts.isNamedExports(exportClause))
      throw new Error(`${entry} exports without names`);
    return exportClause.elements.map(({ name, propertyName }): [string, string] => [from, (propertyName ?? name).text]);
  });
}

/** The declarations of a name in a file; a constant and a type may share one. */
function declarationsOf(file: string, name: string): ts.Statement[] {
  return parse(file).statements.filter((statement) => {
    if (ts.isVariableStatement(statement)) {
      return statement.declarationList.declarations.some((declaration) => declaration.name.getText() === name);
    }
    return (statement as { name?: ts.Identifier }).name?.text === name;
  });
}

/** `override` is documented where it comes from. */
const HIDING: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.PrivateKeyword,
  ts.SyntaxKind.ProtectedKeyword,
  ts.SyntaxKind.OverrideKeyword,
]);

const hasComment = (node: ts.Node): boolean => ts.getJSDocCommentsAndTags(node).length > 0;
const isInternal = (node: ts.Node): boolean => ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');

/** What users cannot reach. */
function isHidden(member: ts.Node): boolean {
  const { name } = member as { name?: ts.Node };
  if (name !== undefined && ts.isPrivateIdentifier(name)) return true;
  if (ts.isConstructorDeclaration(member) || ts.isSemicolonClassElement(member) || isInternal(member)) return true;
  const modifiers = ts.canHaveModifiers(member) ? (ts.getModifiers(member) ?? []) : [];
  return modifiers.some(({ kind }) => HIDING.has(kind));
}

/** Names that an interface or class has from those it implements or extends, wherever in the library they are. */
function inheritedNames({ heritageClauses = [] as never }: Documented, file: string): Set<string> {
  const names = new Set<string>();
  for (const { types } of heritageClauses as readonly ts.HeritageClause[]) {
    for (const { expression, typeArguments = [] as never } of types) {
      // `Partial<X>`, `Omit<X, …>` and the like are X, as far as comments are concerned.
      const bases = [expression, ...(typeArguments as readonly ts.Node[])].map((node) => node.getText());
      for (const [base, from] of bases.flatMap((name) => resolveName(name, file))) {
        for (const member of base.members) if (member.name !== undefined) names.add(member.name.getText());
        for (const name of inheritedNames(base, from)) names.add(name);
      }
    }
  }
  return names;
}

/** The class or interface that a name means in a file: declared there, or imported from the library. */
function resolveName(name: string, file: string): [Documented, string][] {
  const here = declarationsOf(file, name).filter(isDocumented);
  if (here.length > 0) return here.map((declaration) => [declaration, file]);
  for (const statement of parse(file).statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    const { text } = statement.moduleSpecifier as ts.StringLiteral;
    const bindings = statement.importClause?.namedBindings;
    if (!text.startsWith('.') || bindings === undefined || !ts.isNamedImports(bindings)) continue;
    if (!bindings.elements.some((element) => element.name.text === name)) continue;
    return resolveName(name, join(dirname(file), text.replace(/\.js$/, '.ts')));
  }
  return [];
}

function isDocumented(node: ts.Node): node is Documented {
  return ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node);
}

/** Members without a comment; of several overloads one is enough. */
function silentMembers(declaration: Documented, file: string): string[] {
  const inherited = inheritedNames(declaration, file);
  const members = [...declaration.members].filter((member) => !isHidden(member) && member.name !== undefined);
  const documented = new Set(members.filter(hasComment).map((member) => member.name?.getText()));
  const names = new Set(members.map((member) => member.name?.getText() ?? ''));
  return [...names].filter((name) => !documented.has(name) && !inherited.has(name));
}

describe.each(ENTRIES)('what %s exports', (entry) => {
  const found = exportsOf(entry);

  it('is found', () => {
    expect(found.length).toBeGreaterThan(3);
    expect(found.filter(([file, name]) => declarationsOf(file, name).length === 0)).toEqual([]);
  });

  it('has comments', () => {
    const silent = found.filter(([file, name]) => !declarationsOf(file, name).some(hasComment));
    expect(silent.map(([, name]) => name)).toEqual([]);
  });

  it('has comments on every member', () => {
    const silent = found.flatMap(([file, name]) =>
      declarationsOf(file, name)
        .filter(isDocumented)
        .flatMap((declaration) => silentMembers(declaration, file).map((member) => `${name}.${member}`)),
    );
    expect(silent).toEqual([]);
  });
});
