/** What `--version` prints: the version of the original command, which this one replaces. */
export const VERSION = "linux-user-chroot 2015.1\n";

/** What is printed when there is no ROOTDIR or no PROGRAM. */
export const USAGE = "usage: linux-user-chroot [OPTION...] ROOTDIR PROGRAM [ARG...]";

/** What `--help` prints. */
export const HELP: string = `${USAGE}

Runs PROGRAM with ROOTDIR as its root directory. A drop-in for linux-user-chroot 2015.1, by @sandboxlib/linux-user-chroot,
whose README lists the differences. Options come before ROOTDIR; mounts are made in the order in which they are given.

  --mount-bind SOURCE DEST       SOURCE of the host appears at DEST, a path below ROOTDIR that exists
  --mount-readonly DEST          DEST cannot be written
  --mount-proc DEST              a procfs at DEST
  --mount-devapi DEST            a minimal /dev at DEST
  --unshare-ipc                  IPC and host name of its own
  --unshare-pid                  process ids of its own
  --unshare-net                  no network
  --chdir DIR                    where PROGRAM starts (default: /)
  --seccomp-profile-version -1   accepted; filters (version 0) are refused
  --help, --version              print this, or the version that it stands in for

Exit code: that of PROGRAM; 128+n when signal n ended it; 1 when there was no PROGRAM to end.
`;
