#define _GNU_SOURCE
#include "shim_child.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine_filter.h"

/// Every right of Landlock's ABI 6, whatever the kernel headers of the build know; older kernels get what they have.
static int landlock(void) {
    static const struct {
        int abi;
        uint64_t files, network, scopes;
    } rights[] = {
        {6, 0xFFFF, 0x3, 0x3}, {5, 0xFFFF, 0x3, 0}, {4, 0x7FFF, 0x3, 0},
        {3, 0x7FFF, 0, 0},     {2, 0x3FFF, 0, 0},   {1, 0x1FFF, 0, 0},
    };
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
        if (abi < rights[i].abi) {
            continue;
        }
        uint64_t handled[] = {rights[i].files, rights[i].network, rights[i].scopes};
        // Kernels refuse a structure that is longer than theirs unless the rest is zero.
        int rules = (int)syscall(SYS_landlock_create_ruleset, handled, sizeof handled, 0);
        if (rules < 0) {
            return 0;
        }
        int confined = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
        close(rules);
        return confined;
    }
    return 0;
}

/// Lowers a limit; one that is lower already stays.
static void limit(int resource, uint64_t soft, uint64_t hard) {
    struct rlimit both;
    if (getrlimit(resource, &both) == 0) {
        both.rlim_max = hard < both.rlim_max ? hard : both.rlim_max;
        both.rlim_cur = soft < both.rlim_max ? soft : both.rlim_max;
        (void)setrlimit(resource, &both);
    }
}

/// Bytes of address space in use.
static uint64_t mapped(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        if (fscanf(file, "%lu", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/// If memory runs out, this process is to be the one that goes.
static void volunteer(void) {
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        (void)!write(file, "1000", 4);
        close(file);
    }
}

static int has_one_thread(void) {
    int threads = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL) {
        return 0;
    }
    for (struct dirent *entry = readdir(tasks); entry != NULL; entry = readdir(tasks)) {
        threads += entry->d_name[0] != '.';
    }
    closedir(tasks);
    return threads == 1;
}

int shim_confine(uint64_t memory, unsigned seconds, pid_t parent) {
    // Asked for first and checked afterwards, so that a parent that goes in between is noticed.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        return -1;
    }
    int alone = has_one_thread();
    volunteer();
    uint64_t space = mapped() + memory;
    prctl(PR_SET_DUMPABLE, 0);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_AS, space, space);
    // The soft limit's signal tells the parent what happened; the hard one's is that of every kill.
    limit(RLIMIT_CPU, seconds, seconds + 5);
    limit(RLIMIT_NOFILE, SHIM_CHILD_PIXELS + 2, SHIM_CHILD_PIXELS + 2);
    limit(RLIMIT_NPROC, 0, 0);
    limit(RLIMIT_FSIZE, 0, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !alone) {
        return 0;
    }
    int walls = landlock() ? SHIM_WALL_LANDLOCK : 0;
    return shim_confine_filter() == 0 ? walls | SHIM_WALL_SECCOMP : walls;
}

int shim_confine_probe(void) {
    int possible = 0;
    int file = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        close(file);
        possible++;
    }
    int connection = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connection >= 0) {
        close(connection);
        possible++;
    }
    if (kill(getppid(), 0) == 0) {
        possible++;
    }
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    if (child > 0) {
        waitpid(child, NULL, 0);
        possible++;
    }
    return possible;
}
