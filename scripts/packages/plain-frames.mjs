/**
 * The types of the frames without zod: what the schemas of protocol/src/frames.ts infer, written
 * out. The client ships them, so that its users need no zod.
 */
import { join } from 'node:path';
import { format } from 'prettier';
import ts from 'typescript';
import { root } from '../lib/install.mjs';

const source = (name) => join(root, `protocol/src/${name}.ts`);

const { TypeFlags } = ts;
/** Types that the compiler itself writes well. */
const PLAIN =
  TypeFlags.Unknown |
  TypeFlags.String |
  TypeFlags.Number |
  TypeFlags.Null |
  TypeFlags.Undefined |
  TypeFlags.BooleanLiteral |
  TypeFlags.StringLiteral;

/** The text of a declaration file for the frames; it imports the one of the codes beside it. */
export async function plainFrames() {
  const { config } = ts.readConfigFile(join(root, 'protocol/tsconfig.json'), (path) =>
    ts.sys.readFile(path),
  );
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'protocol'));
  const program = ts.createProgram([source('index')], options);
  const checker = program.getTypeChecker();
  const ofCodes = namesOfCodes(program, checker);
  const names = new Map(ofCodes);
  const types = program
    .getSourceFile(source('frames'))
    .statements.filter(ts.isTypeAliasDeclaration)
    .filter(({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword));
  const lines = types.map((alias) => {
    // `keyof ClientFrames` and the like stand as they are.
    if (!/\bz\.|FramesOf/.test(alias.getText())) return alias.getText();
    const name = alias.name.text;
    const type = checker.getTypeAtLocation(alias.name);
    const text = `export type ${name} = ${written(type, name)};`;
    if (type.isUnion()) names.set(keyOf(type.types), name);
    return text;
  });
  const head = `import type { ${[...ofCodes.values()].join(', ')} } from './codes.js';`;
  return format(`${head}\n${lines.join('\n')}\n`, { parser: 'typescript' });

  /** A type as text. Throws where it would have to guess. */
  function written(type, path) {
    const { flags } = type;
    if (flags & PLAIN)
      return checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
    if (type.isUnion()) return union(type, path);
    if (checker.isArrayType(type)) return `(${written(checker.getTypeArguments(type)[0], path)})[]`;
    if (flags & TypeFlags.Object && type.getCallSignatures().length === 0)
      return `{\n${checker.getPropertiesOfType(type).map(property(path)).join('\n')}\n}`;
    throw new Error(`${path}: no way to write ${checker.typeToString(type)} without zod`);
  }

  function union(type, path) {
    const name = names.get(keyOf(type.types));
    if (name !== undefined) return name;
    return partsOf(type.types)
      .map((part) => (typeof part === 'string' ? part : written(part, path)))
      .join(' | ');
  }

  /** A named union inside of another one, as in `Action | undefined`, keeps its name. */
  function partsOf(parts) {
    const literals = parts.filter((part) => part.isStringLiteral());
    const name = names.get(keyOf(literals));
    return name === undefined ? parts : [name, ...parts.filter((part) => !literals.includes(part))];
  }

  function property(path) {
    return (symbol) => {
      const optional = symbol.flags & ts.SymbolFlags.Optional ? '?' : '';
      const type = checker.getTypeOfSymbol(symbol);
      return `${symbol.name}${optional}: ${written(type, `${path}.${symbol.name}`)};`;
    };
  }
}

/** The unions of codes.ts by their members. */
function namesOfCodes(program, checker) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(source('codes')));
  return new Map(
    checker
      .getExportsOfModule(module)
      .filter(({ flags }) => flags & ts.SymbolFlags.TypeAlias)
      .map((symbol) => [symbol.name, checker.getDeclaredTypeOfSymbol(symbol)])
      .filter(([, type]) => type.isUnion())
      .map(([name, { types }]) => [keyOf(types), name]),
  );
}

const keyOf = (types) =>
  types
    .map((type) => (type.isStringLiteral() ? type.value : '?'))
    .sort()
    .join();
