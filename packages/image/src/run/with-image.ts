import type { ConfigInput } from "@sandboxlib/core";

/** Merges two configs: the caller's fields replace those of the image. Variables and limits are merged one by one. */
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
