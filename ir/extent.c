/* Sizes that are not known: where they come from, and by how much they differ. */
#include "ir/extent.h"

#include "ir/algebra.h"
#include "ir/changes.h"
#include "ir/grad.h"

enum { MOST_STEPS = 64 };

static bool far(int64_t x) { return x > INT32_MAX || x < -INT32_MAX; }

Size size_of(const IrValue *v) {
  Size s = {v, 0};
  int64_t n;
  const IrNode *max = made_by(v, IR_MAX);
  if (max && is_known_size(max->in[1], &n) && n == 0) s.base = max->in[0];
  for (int step = 0; step < MOST_STEPS; step++) {
    if (is_known_size(s.base, &n)) return (Size){NULL, s.offset + n};
    const IrNode *sum = s.base->node;
    bool adds = sum && (sum->op == IR_ADD || sum->op == IR_SUB);
    if (!adds || !is_known_size(sum->in[1], &n) || far(n) || far(s.offset)) break;
    s.offset += sum->op == IR_ADD ? n : -n;
    s.base = sum->in[0];
  }
  return s;
}

IrValue *extent_of(IrBuilder *b, IrValue *v, int axis) {
  for (int step = 0; step < MOST_STEPS && v->type.dim[axis] == IR_DYNAMIC; step++) {
    Origin o = origin_of(v, axis);
    if (o.size) return o.size;
    if (!o.of) break;
    v = o.of;
    axis = o.axis;
  }
  return ir_dim(b, v, axis);
}

/* The loop without a condition that stacks v, or NULL. */
static const IrNode *stacking_loop(const IrValue *v) {
  const IrNode *n = made_by(v, IR_LOOP);
  return n && !n->attr.has_condition && v->index >= n->attr.carried ? n : NULL;
}

bool has_extent(const IrValue *v, int axis, const IrValue *count) {
  for (int step = 0; step < MOST_STEPS; step++) {
    int64_t n;
    if (v->type.dim[axis] != IR_DYNAMIC) return is_known_size(count, &n) && n == v->type.dim[axis];
    const IrNode *loop = axis ? NULL : stacking_loop(v);
    if (loop) return same_size(loop->in[0], count);
    Origin o = origin_of(v, axis);
    const IrNode *shape = o.size ? made_by(o.size, IR_SHAPE) : NULL;
    const IrNode *counted = made_by(count, IR_SHAPE);
    if (counted && counted->in[0] == v && counted->attr.axis == axis) return true;
    if (o.size && same_size(o.size, count)) return true;
    v = shape ? shape->in[0] : o.of;
    axis = shape ? shape->attr.axis : o.axis;
    if (!v) return false;
  }
  return false;
}

/* The value that a size differs from, or that a number differs from it, by a number. */
static const IrValue *base_of(const IrValue *size) {
  const IrValue *base = size_of(size).base;
  const IrNode *rest = base ? made_by(base, IR_SUB) : NULL;
  return rest && rest->in[0]->constant ? size_of(rest->in[1]).base : base;
}

static bool reads_as_size(const IrNode *n, const IrValue *base) {
  for (int k = 0; k < n->in_count && n->op != IR_LOOP; k++)
    if (is_size_operand(n, k) && base_of(n->in[k]) == base) return true;
  return false;
}

bool makes_size(const IrFunction *f, const IrValue *v) {
  const IrValue *base = size_of(v).base;
  for (int k = 0; k < f->node_count && base; k++)
    if (reads_as_size(f->nodes[k], base)) return true;
  return false;
}

bool is_shared_size(const IrBuilder *b, const IrValue *v) {
  const IrValue *base = size_of(v).base;
  while (base && !made_by(base, IR_SHAPE)) {
    while (b && b->function != base->owner) b = b->parent;
    if (!b) return false;
    for (int k = b->node_count - 1; k >= 0; k--)
      if (reads_as_size(b->nodes[k], base)) return true;
    if (base->node || base->index < b->explicit_params || !b->parent) return false;
    base = size_of(b->captured[base->index]).base;
    b = b->parent;
  }
  return true;
}

bool ir_scans_count(const IrNode *loop) {
  LoopLayout l = loop_layout(loop);
  for (int k = l.scanned; k < l.captures; k++)
    if (!has_extent(loop->in[k], 0, loop->in[0])) return false;
  return true;
}
