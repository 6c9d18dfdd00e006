/* Maximum flow, by paths of shortest length, and the minimum cut that it proves. */
#include "ir/network.h"

Network network_new(Arena *a, int vertices) {
  Network n = {.arena = a, .vertices = vertices};
  n.first = ARENA_ARRAY(a, int, (size_t)vertices);
  n.at = ARENA_ARRAY(a, int, (size_t)vertices);
  n.level = ARENA_ARRAY(a, int, (size_t)vertices);
  n.queue = ARENA_ARRAY(a, int, (size_t)vertices);
  for (int v = 0; v < vertices; v++) n.first[v] = -1;
  return n;
}

void network_connect(Network *n, int from, int to, int64_t room) {
  NetworkEdge there = {to, n->first[from], room}, back = {from, n->first[to], 0};
  n->first[from] = (int)n->count;
  ARENA_PUSH(n->arena, n->edges, n->count, n->capacity, there);
  n->first[to] = (int)n->count;
  ARENA_PUSH(n->arena, n->edges, n->count, n->capacity, back);
}

/* Distances from the source in edges that have room; whether the sink has one. */
static bool measure(Network *n, int source, int sink) {
  int head = 0, tail = 0;
  for (int v = 0; v < n->vertices; v++) n->level[v] = -1;
  n->level[source] = 0;
  n->queue[tail++] = source;
  while (head < tail) {
    int v = n->queue[head++];
    for (int e = n->first[v]; e >= 0; e = n->edges[e].next) {
      int to = n->edges[e].to;
      if (n->edges[e].room == 0 || n->level[to] >= 0) continue;
      n->level[to] = n->level[v] + 1;
      n->queue[tail++] = to;
    }
  }
  return n->level[sink] >= 0;
}

/* Sends flow along one path of growing distance. `path` holds its edges. 0: there is none. */
static int64_t send(Network *n, int source, int sink, int *path) {
  int length = 0, v = source;
  while (v != sink) {
    int e = n->at[v];
    while (e >= 0 && (n->edges[e].room == 0 || n->level[n->edges[e].to] != n->level[v] + 1))
      e = n->edges[e].next;
    n->at[v] = e;
    if (e >= 0) {
      path[length++] = e;
      v = n->edges[e].to;
    } else if (length > 0) { /* a dead end */
      n->level[v] = -1;
      v = n->edges[path[--length] ^ 1].to;
    } else {
      return 0;
    }
  }
  int64_t amount = INT64_MAX;
  for (int k = 0; k < length; k++)
    if (n->edges[path[k]].room < amount) amount = n->edges[path[k]].room;
  for (int k = 0; k < length; k++) {
    n->edges[path[k]].room -= amount;
    n->edges[path[k] ^ 1].room += amount;
  }
  return amount;
}

void network_cut(Network *n, int source, int sink) {
  int *path = ARENA_ARRAY(n->arena, int, (size_t)n->vertices);
  while (measure(n, source, sink)) {
    for (int v = 0; v < n->vertices; v++) n->at[v] = n->first[v];
    while (send(n, source, sink, path)) continue;
  }
}

bool network_before(const Network *n, int vertex) { return n->level[vertex] >= 0; }
