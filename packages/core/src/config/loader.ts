/**
 * Whether a variable steers the dynamic linker or the C library of whichever process carries it, so that a backend
 * that must pass it through a tool on the host would let the config run code outside. The list follows ld.so(8)
 * and the variables that glibc removes in secure-execution mode, and dyld(1) for macOS.
 */
export function isLoaderVariable(name: string): boolean {
  return name.startsWith("LD_") || name.startsWith("DYLD_") || LIBC.has(name);
}

const LIBC: ReadonlySet<string> = new Set([
  "GCONV_PATH",
  "GETCONF_DIR",
  "GLIBC_TUNABLES",
  "HOSTALIASES",
  "LOCALDOMAIN",
  "LOCPATH",
  "MALLOC_CHECK_",
  "MALLOC_TRACE",
  "NIS_PATH",
  "NLSPATH",
  "RESOLV_HOST_CONF",
  "RES_OPTIONS",
  "TZDIR",
]);
