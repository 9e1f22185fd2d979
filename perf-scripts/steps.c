/*
 * steps.c: steps THREAD SECONDS prints, single-stepping a thread through ptrace(2), the address of each instruction that it executes from the
 * end of a wait (epoll_wait, pselect) to the beginning of the next, in lines of hexadecimal digits, and "turn" before each of these turns.
 * A turn of more than LONGEST steps has more to do than a lone packet: it is cut there, and goes on at full speed. Linux on x86-64.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST = 50000, SYSCALL_STOP = SIGTRAP | 0x80, SYSCALL = 0x050f /* the instruction */ };

static volatile sig_atomic_t over;

static void end(int signal) { (void)signal; over = 1; }

static int is_wait(long number) { return number == SYS_epoll_wait || number == SYS_epoll_pwait || number == SYS_pselect6; }

/* Lets the thread go on to its next stop; 0 if there is none any more, or the time is over. */
static int next(pid_t thread, int request, struct user_regs_struct *registers)
{
  int status;

  if (ptrace(request, thread, 0, 0) != 0) return 0;
  while (waitpid(thread, &status, __WALL) < 0)
    if (over) ptrace(PTRACE_INTERRUPT, thread, 0, 0);
  return WIFSTOPPED(status) && ptrace(PTRACE_GETREGS, thread, 0, registers) == 0 && !over ? status : 0;
}

/* Prints one turn; 0 at the end of everything. */
static int print_turn(pid_t thread)
{
  struct user_regs_struct registers;
  int steps;

  puts("turn");
  for (steps = 0; steps < LONGEST; steps++) {
    if (!next(thread, PTRACE_SINGLESTEP, &registers)) return 0;
    printf("%llx\n", registers.rip);
    if ((ptrace(PTRACE_PEEKTEXT, thread, registers.rip, 0) & 0xffff) == SYSCALL && is_wait((long)registers.rax)) return 1;
  }
  return 1;
}

int main(int count, char **arguments)
{
  struct sigaction action = { .sa_handler = end }; /* without SA_RESTART */
  struct user_regs_struct registers;
  pid_t thread;
  int status;

  if (count != 3) return 2;
  thread = atoi(arguments[1]);
  sigaction(SIGALRM, &action, NULL);
  alarm((unsigned)atoi(arguments[2]));
  if (ptrace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACESYSGOOD) != 0 || ptrace(PTRACE_INTERRUPT, thread, 0, 0) != 0) {
    perror("ptrace");
    return 1;
  }
  waitpid(thread, &status, __WALL);
  while ((status = next(thread, PTRACE_SYSCALL, &registers)) != 0) {
    int waited = WSTOPSIG(status) == SYSCALL_STOP && is_wait((long)registers.orig_rax) && (long)registers.rax > 0;
    if (waited && !print_turn(thread)) break;
  }
  ptrace(PTRACE_DETACH, thread, 0, 0);
  return 0;
}
