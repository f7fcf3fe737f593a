// A file of its own, so that a bundle can load core for it alone.
export { exactWords } from "@sandboxlib/core/internal";
