import type { ConfigInput } from "@sandboxlib/core";

/** A config with what an image asks for wherever the caller says nothing. Variables and limits are taken from both. */
export function withImage(image: ConfigInput, config: ConfigInput): ConfigInput {
  const { root: _, ...own } = Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  ) as ConfigInput;
  return {
    ...image,
    ...own,
    ...((image.env ?? own.env) !== undefined && { env: { ...image.env, ...own.env } }),
    ...((image.limits ?? own.limits) !== undefined && {
      limits: { ...image.limits, ...own.limits },
    }),
  };
}
