// oxlint-disable-next-line no-restricted-imports -- The launcher, which is the init inside, is a package of its own.
export { findLauncher } from "@sandboxlib/launcher";
