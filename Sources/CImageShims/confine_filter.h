#pragma once

/// Installs the filter of system calls in every thread. 0 or -1 with errno.
int shim_confine_filter(void);
