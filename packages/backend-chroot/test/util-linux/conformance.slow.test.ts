import { utilLinuxChroot } from "@sandboxlib/backend-chroot";
import { describeBackend } from "@sandboxlib/conformance";

describeBackend(utilLinuxChroot, { title: "chroot, by the tools of util-linux" });
