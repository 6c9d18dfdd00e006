/* Minimum cuts of networks: the cheapest way to part vertices in two. */
#ifndef STAN2ONNX_IR_NETWORK_H
#define STAN2ONNX_IR_NETWORK_H

#include "base/arena.h"

#include <stdbool.h>

typedef struct {
  int to, next; /* next edge of the same vertex; the edge back is number ^ 1 */
  int64_t room;
} NetworkEdge;

typedef struct {
  Arena *arena;
  int vertices;
  int *first, *at, *level, *queue;
  NetworkEdge *edges;
  size_t count, capacity;
} Network;

Network network_new(Arena *a, int vertices);
/* An edge that costs `room` to cut: when `from` is on the source's side and `to` on the sink's. */
void network_connect(Network *n, int from, int to, int64_t room);
/* Finds a cheapest cut between source and sink. */
void network_cut(Network *n, int source, int sink);
/* Whether a vertex is on the source's side of it. */
bool network_before(const Network *n, int vertex);

#endif
