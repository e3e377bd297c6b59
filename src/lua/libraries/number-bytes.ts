/** Numbers as bytes of strings. */

const view = new DataView(new ArrayBuffer(8));

/** The lower bytes of a whole number, the highest first; a negative one in two's complement. @param size 1, 2, 4 or 8. */
export function bigEndian(value: number, size: 1 | 2 | 4 | 8): string {
  if (size === 1) return String.fromCharCode(value & 0xff);
  if (size === 2) return String.fromCharCode((value >> 8) & 0xff, value & 0xff);
  if (size === 4) view.setUint32(0, value);
  else view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)));
  return bytes(size);
}

/** A double rounded to 32 bits, the highest byte first. */
export function floatBytes(value: number): string {
  view.setFloat32(0, value);
  return signed(bytes(4), value);
}

export function doubleBytes(value: number): string {
  view.setFloat64(0, value);
  return signed(bytes(8), value);
}

export function readFloat(text: string, at: number): number {
  fill(text, at, 4);
  return view.getFloat32(0);
}

export function readDouble(text: string, at: number): number {
  fill(text, at, 8);
  return view.getFloat64(0);
}

/** The highest byte first. @param size 1 to 4. */
export function readUnsigned(text: string, at: number, size: number): number {
  let value = 0;
  for (let index = at; index < at + size; index++) value = value * 256 + text.charCodeAt(index);
  return value;
}

export function readSigned64(text: string, at: number): bigint {
  fill(text, at, 8);
  return view.getBigInt64(0);
}

export function reversed(text: string): string {
  return Buffer.from(text, 'latin1').reverse().toString('latin1');
}

function fill(text: string, at: number, size: number): void {
  for (let index = 0; index < size; index++) view.setUint8(index, text.charCodeAt(at + index));
}

function bytes(size: number): string {
  let text = '';
  for (let index = 0; index < size; index++) text += String.fromCharCode(view.getUint8(index));
  return text;
}

/** What is no number has the sign that the processor gives to 0/0. */
function signed(text: string, value: number): string {
  return Number.isNaN(value) ? `\xff${text.slice(1)}` : text;
}
