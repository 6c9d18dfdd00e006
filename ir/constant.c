/* Constants of a module: equal ones are one tensor, whose content is looked at once. */
#include "ir/builder.h"

#include <string.h>

static size_t bytes_of(const IrTensor *t) {
  return (size_t)t->count * ir_dtype_size(t->type.dtype);
}

static uint64_t mix(uint64_t h, uint64_t word) {
  h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
  return h ^ h >> 29;
}

/* Of large contents only a sample is hashed: a comparison follows anyway. */
static uint64_t hash_tensor(const IrTensor *t) {
  enum { SAMPLES = 1024 };
  uint64_t h = mix(1, (uint64_t)t->type.dtype);
  for (int k = 0; k < t->type.rank; k++) h = mix(h, (uint64_t)t->type.dim[k]);
  const char *p = t->data.bytes;
  size_t n = bytes_of(t), words = n / 8, step = words / SAMPLES + 1;
  for (size_t i = 0; i < words; i += step) {
    uint64_t word;
    memcpy(&word, p + i * 8, 8);
    h = mix(h, word);
  }
  for (size_t i = words * 8; i < n; i++) h = mix(h, (unsigned char)p[i]);
  return h;
}

static bool same(const IrTensor *a, const IrTensor *b) {
  return ir_types_equal(&a->type, &b->type) &&
         memcmp(a->data.bytes, b->data.bytes, bytes_of(a)) == 0;
}

static void rehash(ConstantTable *table, Arena *a) {
  size_t wider = table->bucket_count ? table->bucket_count * 2 : 64;
  Constant **buckets = ARENA_ARRAY(a, Constant *, wider);
  for (size_t i = 0; i < table->bucket_count; i++)
    for (Constant *c = table->buckets[i], *next; c; c = next) {
      next = c->next;
      Constant **bucket = &buckets[c->hash % wider];
      c->next = *bucket;
      *bucket = c;
    }
  table->buckets = buckets;
  table->bucket_count = wider;
}

const Constant *constant_intern(IrModule *m, const IrTensor *t) {
  ConstantTable *table = &m->constants;
  Constant *c = pointer_map_get(&table->by_tensor, t);
  if (c) return c;
  if (table->count >= table->bucket_count) rehash(table, m->arena);
  uint64_t hash = hash_tensor(t);
  Constant **bucket = &table->buckets[hash % table->bucket_count];
  for (c = *bucket; c; c = c->next)
    if (c->hash == hash && same(c->tensor, t)) break;
  if (!c) {
    c = ARENA_NEW(m->arena, Constant);
    *c = (Constant){.tensor = t,
                    .hash = hash,
                    .facts = facts_of_tensor(t),
                    .uniform = ir_tensor_uniform(t),
                    .next = *bucket};
    *bucket = c;
    table->count++;
  }
  pointer_map_set(&table->by_tensor, m->arena, t, c);
  return c;
}

IrValue *ir_constant(IrBuilder *b, const IrTensor *t) {
  const Constant *c = constant_intern(b->module, t);
  IrValue *v = pointer_map_get(&b->constants, c->tensor);
  if (v) return v;
  v = builder_append(b, IR_CONST, (IrAttr){0}, NULL, 0, &c->tensor->type, 1)->out[0];
  v->constant = c->tensor;
  v->uniform = c->uniform;
  v->facts = c->facts;
  pointer_map_set(&b->constants, b->module->arena, c->tensor, v);
  return v;
}
