#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// Why a call failed.
enum {
    SHIM_MALFORMED = 1,    ///< The bytes break the format or end too early.
    SHIM_UNSUPPORTED = 2,  ///< The bytes are well-formed, yet of a kind that is not decoded.
    SHIM_TOO_LARGE = 3,    ///< The library's memory limit is exceeded.
    SHIM_NO_MEMORY = 4,    ///< Memory is exhausted.
    SHIM_IO = 5,           ///< Writing failed; `number` holds errno.
    SHIM_INTERNAL = 6,     ///< The library failed for a reason of its own.
};

/// Code 0 means success; the first message wins, since it is nearest to the cause.
typedef struct {
    int code;
    int number;
    char text[240];
} ShimFailure;

/// Records a printf-formatted message unless one is there already. Always returns 0, so that callers can `return` it.
int shim_fail(ShimFailure *failure, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/// The message as a C string, valid as long as `failure` is.
const char *shim_failure_text(const ShimFailure *failure);

#ifdef __cplusplus
}
#endif
