/*
 * datagrams.c: sends or receives datagrams of 64 bytes, many in one system call, so that the ends cost less than what is between them. Linux.
 *
 *   datagrams send ADDRESS PORT RATE SECONDS    so many a second, in even portions
 *   datagrams receive ADDRESS PORT              counts those that arrive and at the end, which is one second without any (ten at
 *                                               the beginning), prints how many arrived in a second, from the first to the last
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PORTION = 32, SIZE = 64, PATIENCE = 10, SILENCE = 1 };

static char data[PORTION][SIZE];
static struct iovec pieces[PORTION];
static struct mmsghdr messages[PORTION];

static double now(void)
{
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int send_all(int fd, double rate, double seconds)
{
  double start = now();
  uint64_t sent = 0;

  while (now() < start + seconds) {
    double due = start + (double)sent / rate;
    struct timespec until = { (time_t)due, (long)((due - (double)(time_t)due) * 1e9) };

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    if (sendmmsg(fd, messages, PORTION, 0) < 0) usleep(100); /* a refusal: nobody listens yet */
    sent += PORTION;
  }
  return 0;
}

static int receive_all(int fd)
{
  struct timeval patience = { PATIENCE, 0 }, silence = { SILENCE, 0 };
  double first = 0, last = 0;
  uint64_t count = 0;
  int size = 4 << 20;

  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  for (;;) {
    int got = recvmmsg(fd, messages, PORTION, MSG_WAITFORONE, NULL);

    if (got <= 0) break;
    if (count == 0) {
      first = now();
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    }
    last = now();
    count += (uint64_t)got;
  }
  printf("%.0f\n", last > first ? (double)count / (last - first) : 0);
  return 0;
}

int main(int count, char **arguments)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  int fd = socket(AF_INET, SOCK_DGRAM, 0), sends = count == 6 && strcmp(arguments[1], "send") == 0, i;

  if (!sends && (count != 4 || strcmp(arguments[1], "receive") != 0)) return 2;
  address.sin_port = htons((uint16_t)atoi(arguments[3]));
  inet_pton(AF_INET, arguments[2], &address.sin_addr);
  for (i = 0; i < PORTION; i++) {
    pieces[i] = (struct iovec){ data[i], SIZE };
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  if ((sends ? connect : bind)(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    perror(arguments[1]);
    return 1;
  }
  return sends ? send_all(fd, atof(arguments[4]), atof(arguments[5])) : receive_all(fd);
}
