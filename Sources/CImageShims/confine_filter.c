// A list of what is refused, not of what is allowed: allocators, C++ and Swift may use any call that concerns their own
// memory and thread, and new versions of them do. Calls that reach other processes, files or devices are refused.
#define _GNU_SOURCE
#include "confine_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "name this architecture's AUDIT_ARCH constant"
#endif

/// From this number on, Linux 5.1 of 2019, calls are the same on every architecture.
enum { FIRST_OF_2019 = 424 };

static const unsigned short refused[] = {
    // Programs and processes. A thread is a process to Landlock, so none is made either.
    SYS_execve, SYS_execveat, SYS_clone, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
    SYS_kill, SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_setpriority, SYS_ioprio_set,
    SYS_sched_setaffinity, SYS_sched_setattr, SYS_sched_setparam, SYS_sched_setscheduler, SYS_setpgid, SYS_setsid,
    SYS_migrate_pages, SYS_move_pages, SYS_perf_event_open, SYS_personality,
    // Sockets.
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_sendto, SYS_sendmsg,
    SYS_sendmmsg, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg,
    // Files, Landlock's share included; what is open may be read, written and mapped.
    SYS_openat, SYS_open_by_handle_at, SYS_name_to_handle_at, SYS_mknodat, SYS_mkdirat, SYS_unlinkat, SYS_symlinkat,
    SYS_linkat, SYS_renameat, SYS_renameat2, SYS_truncate, SYS_ftruncate, SYS_fallocate, SYS_fchmod, SYS_fchmodat,
    SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr,
    SYS_lremovexattr, SYS_fremovexattr, SYS_chdir, SYS_fchdir, SYS_chroot, SYS_ioctl, SYS_inotify_init1,
    SYS_fanotify_init, SYS_memfd_create, SYS_pipe2, SYS_splice, SYS_tee, SYS_vmsplice, SYS_sendfile,
    SYS_copy_file_range, SYS_io_setup,
    // Between processes.
    SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semctl, SYS_semop, SYS_semtimedop, SYS_msgget, SYS_msgctl,
    SYS_msgsnd, SYS_msgrcv, SYS_mq_open, SYS_mq_unlink,
    // The machine.
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_unshare, SYS_setns, SYS_bpf, SYS_userfaultfd, SYS_add_key,
    SYS_request_key, SYS_keyctl, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
    SYS_kexec_file_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_syslog, SYS_settimeofday,
    SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname, SYS_setdomainname, SYS_setuid, SYS_setgid,
    SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset,
#if defined(__x86_64__)
    // What newer architectures never had.
    SYS_fork, SYS_vfork, SYS_open, SYS_creat, SYS_mknod, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_symlink, SYS_link,
    SYS_rename, SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat, SYS_pipe, SYS_inotify_init,
    SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#endif
};

enum { REFUSED = sizeof refused / sizeof refused[0], LENGTH = REFUSED + 18 };
_Static_assert(REFUSED < 256, "a jump's distance must fit a byte");

static struct sock_filter load(size_t offset) {
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset);
}

static struct sock_filter load_number(void) {
    return load(offsetof(struct seccomp_data, nr));
}

/// Lower half of an argument, on little-endian machines as both of these are.
static struct sock_filter load_argument(int index) {
    return load(offsetof(struct seccomp_data, args) + 8 * (size_t)index);
}

static struct sock_filter jump(unsigned short test, unsigned value, unsigned char yes, unsigned char no) {
    return (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, value, yes, no);
}

static struct sock_filter end(unsigned action) {
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action);
}

int shim_confine_filter(void) {
    const unsigned denied = SECCOMP_RET_ERRNO | EPERM;
    struct sock_filter code[LENGTH];
    int n = 0;
    code[n++] = load(offsetof(struct seccomp_data, arch));
    code[n++] = jump(BPF_JEQ, ARCHITECTURE, 1, 0);
    code[n++] = end(SECCOMP_RET_KILL_PROCESS);
    code[n++] = load_number();
    // Its own signals, as abort() sends them, and its own limits; not those of others.
    code[n++] = jump(BPF_JEQ, SYS_tgkill, 0, 3);
    code[n++] = load_argument(0);
    code[n++] = jump(BPF_JEQ, (unsigned)getpid(), 1, 0);
    code[n++] = end(denied);
    code[n++] = load_number();
    code[n++] = jump(BPF_JEQ, SYS_prlimit64, 0, 3);
    code[n++] = load_argument(0);
    code[n++] = jump(BPF_JEQ, 0, 1, 0);
    code[n++] = end(denied);
    code[n++] = load_number();
    // io_uring, pidfd, openat2 and clone3 among them, and calls that this list cannot know yet. Whoever uses such a call
    // knows how to do without it. The x32 calls of an x86-64 kernel have greater numbers still.
    code[n++] = jump(BPF_JGE, FIRST_OF_2019, 0, 1);
    code[n++] = end(SECCOMP_RET_ERRNO | ENOSYS);
    for (int i = 0; i < REFUSED; i++) {
        // The last instruction but one allows, the last refuses.
        code[n++] = jump(BPF_JEQ, refused[i], (unsigned char)(REFUSED - i), 0);
    }
    code[n++] = end(SECCOMP_RET_ALLOW);
    code[n++] = end(denied);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
