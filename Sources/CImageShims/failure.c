#include "shim_failure.h"

#include <stdarg.h>
#include <stdio.h>

int shim_fail(ShimFailure *failure, int code, const char *format, ...) {
    if (failure->code != 0) {
        return 0;
    }
    failure->code = code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->text, sizeof failure->text, format, arguments);
    va_end(arguments);
    return 0;
}

const char *shim_failure_text(const ShimFailure *failure) {
    return failure->text;
}
