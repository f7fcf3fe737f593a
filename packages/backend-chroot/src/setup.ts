import { FILL_DEV } from "./tools.js";

/** Where the root is put together. What lies there in the private mount namespace, nobody else sees. */
export const STAGE = "/proc/fs";

/**
 * Runs as `sh -c SETUP sh LAST ROOT [OPERATION DIRECTORY NAME WORD]... -- COMMAND...` in a mount namespace of its own, with
 * a new pid namespace for its children. It reports on fd 3, and fd 4 is the pipe that ends with the run.
 *
 * - The first child is pid 1 inside: everything dies with it, and it dies with fd 4. It ignores SIGCHLD, so that the
 *   kernel buries the orphans (a shell will not ignore it), and keeps fd 3 open to the end.
 * - LAST is the tool that becomes the program. A program that is a link to `/proc/self/exe` is that tool again, with the
 *   libraries of the root, and gets at its file. So it is read-only here, by way of its own mount.
 * - So is the host's `/dev`, that no mode of a device can be changed through a bind; but not what is mounted below it.
 * - The root is mounted at the stage. Mounts over the host's own paths could change the tools that run next.
 * - A mount point is entered first and then compared with the path that was looked up, so that a symlink which a
 *   hostile root puts there in the meantime leads nowhere. For a file it is held open instead.
 * - Until the program is started, standard error is fd 3.
 * - setsid(1) tells death by a signal from an exit status above 128. A shell cannot, and unshare(1) of util-linux
 *   2.38 turns SIGKILL into exit status 1.
 */
export const SETUP: string = `
env --ignore-signal=CHLD cat <&4 4<&- >/dev/null 2>&1 &
init=$!
exec 5>&2 2>&3
stage=${STAGE}
fail() { echo "$1" >&2; exit 125; }
enter() { cd -P -- "$1" && [ "$PWD" = "$1" ] || fail "$1 has changed since it was looked up"; }
dev() { ${FILL_DEV}; }
mount -cin -o bind,ro "$1" "$1" || exit 125
mount -cin -o remount,bind,ro /dev 2>&- ||
  { mount -cin --rbind /dev /dev && mount -cin -o remount,bind,ro /dev; } || exit 125
shift
enter "$1"
mount -cin --rbind . $stage || exit 125
shift
while [ "$1" != -- ]; do
  enter "$stage$2"
  case $1 in
    mkdir) [ -e "./$3" ] || mkdir "./$3" ;;
    touch) [ -e "./$3" ] || (set -C; : >"./$3") ;;
    bind) mount -cin --rbind "$4" . ;;
    file)
      [ ! -p "./$3" ] && exec 9<"./$3" && [ ! -L "./$3" ] && [ "./$3" -ef /proc/self/fd/9 ] &&
        mount -cin --bind "$4" /proc/self/fd/9 && exec 9<&- ;;
    dev)
      mount -cin -t tmpfs -o "$4" tmpfs $stage && dev $stage && mount -cin --move $stage . ;;
    *) mount -cin -t "$1" -o "$4" "$1" . ;;
  esac || fail "$1 at $2\${3:+/$3} failed"
  shift 4
done
shift
cd -P $stage/ && mount -cin --move . / || fail "the root cannot be moved to /"
echo "init $init" >&3
exec setsid --fork --wait sh -c 'exec "$@" 2>&5 3>&- 4<&- 5>&-' sh "$@"
`;
