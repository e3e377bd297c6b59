/**
 * protoc-gen-kelp-codec: writes, for chosen messages, straight code that turns plain objects into Protobuf and back.
 * A protoc plugin: buf runs it as buf.gen.yaml says. docs/decisions/0004-generated-codecs.md tells why it exists.
 */

import { createEcmaScriptPlugin, runNodeJs } from '@bufbuild/protoplugin';
import { printFile } from './file.ts';
import { parseOptions } from './options.ts';
import { selectMessages } from './selection.ts';

const plugin = createEcmaScriptPlugin({
  name: 'protoc-gen-kelp-codec',
  version: 'v1',
  parseOptions,
  generateTs(schema) {
    const selection = selectMessages(schema.allFiles, schema.options);
    for (const [file, messages] of selection.messagesByFile) {
      schema.generateFile(`${file.name}_codec.ts`).print(printFile(file, messages, selection));
    }
  },
});

runNodeJs(plugin);
