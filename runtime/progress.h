/* A run's progress on standard error: one line that changes on a terminal, else a line now and
 * then. */
#ifndef STAN2ONNX_RUNTIME_PROGRESS_H
#define STAN2ONNX_RUNTIME_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  bool quiet, terminal;
  double started, shown; /* when, in seconds */
  double rate;           /* iterations a second, lately; 0: not known yet */
  double rated_at;       /* when it was measured, */
  int64_t rated_done;    /* at how many iterations */
} Progress;

/* Seconds of a clock that only goes forward. */
double seconds_now(void);
void progress_start(Progress *p, bool quiet);
/* `done` of `total` iterations over all chains. */
void progress_show(Progress *p, int64_t done, int64_t total, const char *phase);
/* Ends the line on a terminal. */
void progress_end(Progress *p);
/* "1 h 02 min", "3 min 20 s", "12 s", "0.4 s" in a buffer of 32 characters. */
void print_duration(char *to, double seconds);

#endif
