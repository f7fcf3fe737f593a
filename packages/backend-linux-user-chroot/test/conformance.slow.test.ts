import linuxUserChroot, { linuxUserChrootAt } from "@sandboxlib/backend-linux-user-chroot";
import { describeBackend } from "@sandboxlib/conformance";
import { dropIn, original } from "./fixture.js";

describeBackend(linuxUserChrootAt(dropIn), { title: "linux-user-chroot, by the drop-in" });

if (original !== undefined)
  describeBackend(linuxUserChroot, { title: "linux-user-chroot, by the original" });
