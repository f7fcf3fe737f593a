/** The ids of a program. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** The largest one: the number after it means "none" to the kernel. */
export const LAST_ID = 4_294_967_294;
