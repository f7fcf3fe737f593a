/* The set-up on its way to pid 1, which is started before core has sent it: Node is still busy with its
 * own ends of the pipes then, and the kernel with the namespaces. */
#ifndef SANDBOXLIB_SETUP_H
#define SANDBOXLIB_SETUP_H

#include "plan.h"

/* Memory that the launcher and pid 1 have in common. */
uint8_t *share_memory(void);

/* The launcher reads the first frame into it and checks all of it; returns its size. `namespaces` are
 * those that it was started with. */
size_t read_setup(uint8_t *shared, uint32_t namespaces, struct setup *setup);

/* Pid 1 reads what the launcher has checked. */
void take_setup(const uint8_t *shared, size_t size, struct setup *setup);

bool is_socket(int fd);

#endif
