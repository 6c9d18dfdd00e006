#include "frontend/scope.h"

#include <string.h>

enum { BUCKETS = 512 };

typedef struct {
  Symbol *symbol;
  VarDecl *hidden; /* what the declaration hid */
} Declaration;

struct Scope {
  Arena *arena;
  Symbol *buckets[BUCKETS];
  size_t symbol_count, symbol_capacity;
  Symbol **symbols;
  size_t count, capacity;
  Declaration *declarations; /* those in scope */
};

Scope *scope_new(Arena *arena) {
  Scope *s = ARENA_NEW(arena, Scope);
  s->arena = arena;
  return s;
}

static size_t bucket_of(const char *name) {
  uint32_t h = 2166136261u;
  for (const char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * 16777619u;
  return h % BUCKETS;
}

Symbol *scope_find(const Scope *s, const char *name) {
  for (Symbol *y = s->buckets[bucket_of(name)]; y; y = y->next)
    if (!strcmp(y->name, name)) return y;
  return NULL;
}

static Symbol *find_or_add(Scope *s, const char *name) {
  Symbol *y = scope_find(s, name);
  if (y) return y;
  size_t b = bucket_of(name);
  y = ARENA_NEW(s->arena, Symbol);
  *y = (Symbol){.name = name, .next = s->buckets[b]};
  s->buckets[b] = y;
  ARENA_PUSH(s->arena, s->symbols, s->symbol_count, s->symbol_capacity, y);
  return y;
}

void scope_declare(Scope *s, VarDecl *v) {
  Symbol *y = find_or_add(s, v->name);
  Declaration d = {y, y->variable};
  ARENA_PUSH(s->arena, s->declarations, s->count, s->capacity, d);
  y->variable = v;
}

Symbol *scope_add_function(Scope *s, FunDef *f) {
  Symbol *y = find_or_add(s, f->name);
  ARENA_PUSH(s->arena, y->functions, y->function_count, y->function_capacity, f);
  return y;
}

size_t scope_mark(const Scope *s) { return s->count; }

void scope_leave(Scope *s, size_t mark) {
  while (s->count > mark) {
    s->count--;
    s->declarations[s->count].symbol->variable = s->declarations[s->count].hidden;
  }
}

size_t scope_symbol_count(const Scope *s) { return s->symbol_count; }
const Symbol *scope_symbol(const Scope *s, size_t k) { return s->symbols[k]; }
