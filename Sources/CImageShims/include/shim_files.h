#pragma once

/// Renames within one folder and never replaces: -1 with errno EEXIST when `to` exists. File systems without
/// renameat2's RENAME_NOREPLACE get link and unlink, which refuses an existing name as well.
int shim_rename_without_replacing(int folder, const char *from, const char *to);
