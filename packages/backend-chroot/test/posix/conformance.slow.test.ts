import { posixChroot } from "@sandboxlib/backend-chroot";
import { describeBackend } from "@sandboxlib/conformance";

describeBackend(posixChroot, { title: "chroot, the plain POSIX path" });
