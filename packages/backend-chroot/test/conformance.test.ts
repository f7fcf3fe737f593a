import chroot, { posixChroot } from "@sandboxlib/backend-chroot";
import { describeBackend } from "@sandboxlib/conformance";

describeBackend(chroot);
describeBackend(posixChroot, { title: "chroot, the plain POSIX path" });
