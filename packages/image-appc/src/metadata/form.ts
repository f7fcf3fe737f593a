/** A form that was posted: the values of each field, as the bytes that they are. */
export type Form = ReadonlyMap<string, readonly Buffer[]>;

/**
 * Reads `application/x-www-form-urlencoded`. Values are bytes, since two contents that are no UTF-8 could become the same
 * text, and so have the same signature.
 */
export function formOf(body: Buffer): Form {
  const form = new Map<string, Buffer[]>();
  for (const pair of body.toString("latin1").split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const [name, value] = at === -1 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    const field = bytesOf(name).toString("latin1");
    form.set(field, [...(form.get(field) ?? []), bytesOf(value)]);
  }
  return form;
}

function bytesOf(text: string): Buffer {
  const plain = text
    .replaceAll("+", " ")
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, "latin1");
}
