import { dirname, relative } from 'node:path/posix';

/** Collects what the code of one generated file imports, and prints the statements. */
export class Imports {
  readonly #importer: string;
  readonly #namesByPath = new Map<string, Set<string>>();

  /** @param importer the path of the generated file within the output folder. */
  constructor(importer: string) {
    this.#importer = importer;
  }

  /** @returns the name, so that it can be used in place. */
  runtime(name: string, file: string): string {
    return this.#add(name, `../src/wire/${file}`);
  }

  /** Something that another file of the output exports. */
  generated(name: string, path: string): string {
    return path === this.#importer ? name : this.#add(name, path);
  }

  /** Types are imported by their name with `type ` before it. */
  #add(name: string, path: string): string {
    const names = this.#namesByPath.get(path) ?? new Set();
    this.#namesByPath.set(path, names.add(name));
    return name.replace(/^type /, '');
  }

  print(): string {
    return [...this.#namesByPath]
      .map(([path, names]) => ({ path: this.#relativePath(path), names: [...names].sort(byBareName) }))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, names }) => `import { ${names.join(', ')} } from '${path}';\n`)
      .join('');
  }

  #relativePath(path: string): string {
    const from = relative(dirname(this.#importer), path);
    return from.startsWith('.') ? from : `./${from}`;
  }
}

function byBareName(a: string, b: string): number {
  return a.replace(/^type /, '') < b.replace(/^type /, '') ? -1 : 1;
}
