import * as z from "zod/mini";
import { configSchema } from "./schema.js";

/** Config version 1 as JSON Schema, draft 2020-12, for editors and for other languages. */
export function configJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(configSchema, { io: "input" }),
    $id: "https://github.com/sandboxlib/sandboxlib/config-1.json",
    title: "sandboxlib config, version 1",
  };
}
