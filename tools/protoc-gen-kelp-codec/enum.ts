import type { DescEnum } from '@bufbuild/protobuf';
import { printComment } from './scope.ts';

/** The numbers of an enum by name, without the prefix that its names share. A field that is one is a plain number. */
export function printEnum(enumeration: DescEnum): string {
  const values = enumeration.values.map(
    (value) => `${printComment(value, '  ')}  ${value.localName}: ${value.number},\n`,
  );
  const { name, parent } = enumeration;
  return `${printComment(enumeration, '')}export const ${parent === undefined ? name : `${parent.name}_${name}`} = {
${values.join('')}} as const;
`;
}
