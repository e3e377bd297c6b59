/** The schema of the served services, found by file name, by symbol and with all that it builds on. */
import { type DescFile, type DescMessage, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

export class DescriptorIndex {
  /** Full names, in alphabetical order. */
  readonly serviceNames: readonly string[];
  readonly #fileByName = new Map<string, DescFile>();
  /** Services, methods, messages, fields, oneofs, enums and their values, by full name. */
  readonly #fileBySymbol = new Map<string, DescFile>();
  readonly #messageNames = new Set<string>();
  /** Made once: every reply that names a file has the same bytes. */
  readonly #bytesByFile = new Map<DescFile, Uint8Array>();

  /** @param files more to know than what the services are made of. */
  constructor(services: readonly DescService[], files: readonly DescFile[]) {
    this.serviceNames = services.map((service) => service.typeName).sort();
    for (const service of services) this.#addFile(service.file);
    for (const file of files) this.#addFile(file);
  }

  /** The encoded descriptor of a file, after those of all files that it imports; `undefined` when it is not known. */
  filesByName(name: string): Uint8Array[] | undefined {
    return this.#encoded(this.#fileByName.get(name));
  }

  /** Like `filesByName`, of the file that declares a symbol. */
  filesBySymbol(symbol: string): Uint8Array[] | undefined {
    return this.#encoded(this.#fileBySymbol.get(symbol));
  }

  isMessage(name: string): boolean {
    return this.#messageNames.has(name);
  }

  #encoded(file: DescFile | undefined): Uint8Array[] | undefined {
    if (file === undefined) return undefined;
    const files = new Set<DescFile>();
    addWithDependencies(file, files);
    return [...files].map((each) => this.#bytesOf(each));
  }

  #bytesOf(file: DescFile): Uint8Array {
    let bytes = this.#bytesByFile.get(file);
    if (bytes === undefined) {
      bytes = toBinary(FileDescriptorProtoSchema, file.proto);
      this.#bytesByFile.set(file, bytes);
    }
    return bytes;
  }

  #addFile(file: DescFile): void {
    const { name } = file.proto;
    if (this.#fileByName.has(name)) return;
    this.#fileByName.set(name, file);
    for (const service of file.services) {
      this.#add(service.typeName, file);
      for (const method of service.methods) this.#add(`${service.typeName}.${method.name}`, file);
    }
    for (const each of file.enums) this.#addEnum(each, file);
    for (const message of file.messages) this.#addMessage(message, file);
    for (const dependency of file.dependencies) this.#addFile(dependency);
  }

  #addMessage(message: DescMessage, file: DescFile): void {
    this.#messageNames.add(message.typeName);
    this.#add(message.typeName, file);
    for (const member of [...message.fields, ...message.oneofs]) {
      this.#add(`${message.typeName}.${member.name}`, file);
    }
    for (const each of message.nestedEnums) this.#addEnum(each, file);
    for (const each of message.nestedMessages) this.#addMessage(each, file);
  }

  #addEnum(desc: DescFile['enums'][number], file: DescFile): void {
    this.#add(desc.typeName, file);
    // A value is a sibling of its enum, not a child.
    const scope = desc.typeName.slice(0, desc.typeName.length - desc.name.length);
    for (const value of desc.values) this.#add(`${scope}${value.name}`, file);
  }

  #add(symbol: string, file: DescFile): void {
    this.#fileBySymbol.set(symbol, file);
  }
}

function addWithDependencies(file: DescFile, files: Set<DescFile>): void {
  if (files.has(file)) return;
  for (const dependency of file.dependencies) addWithDependencies(dependency, files);
  files.add(file);
}
