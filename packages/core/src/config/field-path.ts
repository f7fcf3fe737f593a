/** Writes the path of a field as a user would: `mounts[0].source`. The config itself is `config`. */
export function fieldPath(keys: readonly PropertyKey[]): string {
  if (keys.length === 0) return "config";
  return keys
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      const name = String(key);
      if (!/^[\w$-]+$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join("");
}
