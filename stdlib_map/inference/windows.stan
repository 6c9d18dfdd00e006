// When warmup estimates the metric. Iterations are counted from 0. After a first buffer come windows, each twice as long as the one
// before, the last one stretched to where the last buffer begins; at the end of each window its draws make a new metric. With less
// than 150 iterations there is one window between buffers of 15 % and 10 %, with less than 20 there is none.

int first_buffer(int warmup) {
  return warmup < 20 ? warmup : warmup < 150 ? 15 * warmup %/% 100 : 75;
}

int last_buffer(int warmup) {
  return warmup < 20 ? 0 : warmup < 150 ? warmup %/% 10 : 50;
}

int first_window(int warmup) {
  return warmup < 20 ? 0 : warmup < 150 ? warmup - first_buffer(warmup) - last_buffer(warmup) : 25;
}

