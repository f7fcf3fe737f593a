/** The ids of a program. */
export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** The largest id: the kernel takes the number after it for "no id". */
export const LAST_ID = 4_294_967_294;
