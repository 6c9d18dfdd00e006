#include "runtime/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const double TERMINAL_SECONDS = 0.1, LINE_SECONDS = 5, RATE_SECONDS = 1;

double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_start(Progress *p, bool quiet) {
  double now = seconds_now();
  *p = (Progress){.quiet = quiet,
                  .terminal = isatty(STDERR_FILENO),
                  .started = now,
                  .shown = now,
                  .rated_at = now};
}

void print_duration(char *to, double seconds) {
  long s = (long)seconds;
  if (seconds < 10)
    snprintf(to, 32, "%.1f s", seconds);
  else if (s < 60)
    snprintf(to, 32, "%ld s", s);
  else if (s < 3600)
    snprintf(to, 32, "%ld min %02ld s", s / 60, s % 60);
  else
    snprintf(to, 32, "%ld h %02ld min", s / 3600, s % 3600 / 60);
}

/* The rate of the last second or more, half of it carried over. */
static void measure_rate(Progress *p, double now, int64_t done) {
  double seconds = now - p->rated_at;
  if (seconds < RATE_SECONDS || done == p->rated_done) return;
  double rate = (double)(done - p->rated_done) / seconds;
  p->rate = p->rate > 0 ? (p->rate + rate) / 2 : rate;
  p->rated_at = now;
  p->rated_done = done;
}

void progress_show(Progress *p, int64_t done, int64_t total, const char *phase) {
  double now = seconds_now();
  measure_rate(p, now, done);
  if (p->quiet || now - p->shown < (p->terminal ? TERMINAL_SECONDS : LINE_SECONDS)) return;
  p->shown = now;
  char left[64] = "";
  if (p->rate > 0) {
    char duration[32];
    print_duration(duration, (double)(total - done) / p->rate);
    snprintf(left, sizeof left, ", %.4g a second, %s left", p->rate, duration);
  }
  fprintf(stderr, "%s%s: %lld of %lld iterations (%d %%)%s%s", p->terminal ? "\r\033[K" : "", phase,
          (long long)done, (long long)total,
          (int)(total ? 100 * (double)done / (double)total : 100), left, p->terminal ? "" : "\n");
  fflush(stderr);
}

void progress_end(Progress *p) {
  if (!p->quiet && p->terminal) fprintf(stderr, "\r\033[K");
}
