import type { KeepableCapability } from "../backend/plan.js";

/** A set of capabilities(7) as the kernel has it. */
export function capabilitySet(names: readonly KeepableCapability[] = []): bigint {
  return names.reduce((set, name) => set | (1n << NUMBERS[name]), 0n);
}

/** As in linux/capability.h. */
const NUMBERS: Readonly<Record<KeepableCapability, bigint>> = {
  chown: 0n,
  dac_override: 1n,
  fowner: 3n,
  fsetid: 4n,
  kill: 5n,
  setgid: 6n,
  setuid: 7n,
  setpcap: 8n,
  net_bind_service: 10n,
  sys_chroot: 18n,
  setfcap: 31n,
};
