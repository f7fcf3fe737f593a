import { TABLE } from "./table.js";

/** A way to call the kernel, by the name of its column in {@link TABLE}. */
export type AbiName = "x86_64" | "x32" | "i386" | "aarch64" | "arm" | "riscv64";

/** A system call of an ABI. */
export interface Call {
  readonly name: string;
  readonly number: number;
  /** How many bits of each argument the kernel looks at, as {@link TABLE} has it. What is not said is all of them. */
  readonly widths: string;
}

interface Abi {
  readonly column: number;
  /** `AUDIT_ARCH_*` of linux/audit.h, which x86_64 and x32 share. */
  readonly audit: number;
  /** What an OCI profile calls it: the names of libseccomp. */
  readonly oci: string;
  readonly has32Bits?: true;
}

export const ABIS: Readonly<Record<AbiName, Abi>> = {
  x86_64: { column: 1, audit: 0xc000_003e, oci: "SCMP_ARCH_X86_64" },
  x32: { column: 2, audit: 0xc000_003e, oci: "SCMP_ARCH_X32" },
  i386: { column: 3, audit: 0x4000_0003, oci: "SCMP_ARCH_X86", has32Bits: true },
  aarch64: { column: 4, audit: 0xc000_00b7, oci: "SCMP_ARCH_AARCH64" },
  arm: { column: 5, audit: 0x4000_0028, oci: "SCMP_ARCH_ARM", has32Bits: true },
  riscv64: { column: 6, audit: 0xc000_00f3, oci: "SCMP_ARCH_RISCV64" },
};

/** The ABIs that a kernel executes below a Node of that architecture (`process.arch`), its own first. */
export const ABIS_OF: Readonly<Record<string, readonly [AbiName, ...AbiName[]]>> = {
  x64: ["x86_64", "x32", "i386"],
  ia32: ["i386"],
  arm64: ["aarch64", "arm"],
  arm: ["arm"],
  riscv64: ["riscv64"],
};

const WIDTHS = ABIS.riscv64.column + 1;

/** Every system call of an ABI. */
export function callsOf(abi: AbiName): Call[] {
  const { column } = ABIS[abi];
  return rows().flatMap((row) => {
    const number = row[column];
    if (number === undefined || number === ".") return [];
    return [{ name: row[0] ?? "", number: Number(number), widths: row[WIDTHS] ?? "" }];
  });
}

/** The name of every system call of any ABI. */
export function callNames(): string[] {
  return rows().map(([name = ""]) => name);
}

function rows(): string[][] {
  parsed ??= TABLE.trim()
    .split("\n")
    .map((line) => line.split(" "));
  return parsed;
}

let parsed: string[][] | undefined;
