import * as z from "zod/mini";
import { identifier, noNul, text } from "./text.js";

/** A name and a value: a label, an annotation. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

/** The most entries of a list whose entries are looked at one by one. */
const MOST_ENTRIES = 1024;

/** A list that may be left out, or `null` as the specification's own tools write an empty one. */
export function list<Type>(
  entry: z.ZodMiniType<Type>,
  most: number = MOST_ENTRIES,
): z.ZodMiniType<readonly Type[] | undefined> {
  return z.pipe(
    z.nullish(z.array(entry).check(z.maxLength(most))),
    z.transform((value) => value ?? undefined),
  );
}

/** A list in which no two entries have the same name. */
export function namedList<Type extends { readonly name: string }>(
  entry: z.ZodMiniType<Type>,
  most?: number,
): z.ZodMiniType<readonly Type[] | undefined> {
  return list(entry, most).check(
    z.check(({ value, issues }) => {
      const seen = new Set<string>();
      for (const [index, { name }] of (value ?? []).entries()) {
        if (seen.has(name)) {
          const path = [index, "name"];
          issues.push({ code: "custom", input: value, path, message: "is there twice" });
          return;
        }
        seen.add(name);
      }
    }),
  );
}

/** Labels of an image: unique names, none of them `name`. */
export const labels: z.ZodMiniType<readonly Pair[] | undefined> = namedList(
  z.object({
    name: text((value) => identifier(value) ?? (value === "name" ? "is reserved" : undefined)),
    value: text(noNul),
  }),
);

/** Annotations, the known ones of the form that the specification asks for. */
export const annotations: z.ZodMiniType<readonly Pair[] | undefined> = namedList(
  z.object({ name: text(identifier), value: z.string() }).check(
    z.check(({ value: pair, issues }) => {
      const message = brokenAnnotation(pair);
      if (message === undefined) return;
      issues.push({ code: "custom", input: pair.value, path: ["value"], message });
    }),
  ),
);

function brokenAnnotation({ name, value }: Pair): string | undefined {
  if (name === "created") {
    const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;
    return timestamp.test(value) ? undefined : "must be a time of RFC 3339";
  }
  if (name !== "homepage" && name !== "documentation") return undefined;
  return /^https?:\/\//i.test(value) && URL.canParse(value) ? undefined : "must be a URL of HTTP";
}

/** Data of users, an object of strings, which has no effect here. */
export const userData: z.ZodMiniType<Readonly<Record<string, string>> | undefined> = z.optional(
  z.record(z.string(), z.string()),
);
