/* Functions as text. */
#include "ir/builder.h"

typedef struct {
  Text *out;
  Arena *arena;
  const IrFunction **pending; /* callees, in order of their first call */
  int count, capacity;
} Printer;

static void print_indent(Printer *p, int depth) {
  for (int k = 0; k < depth; k++) text_add(p->out, "  ");
}

static void print_type(Printer *p, const IrType *t) { text_add(p->out, ir_type_text(p->arena, t)); }

static void print_values(Printer *p, IrValue *const *values, int count) {
  for (int k = 0; k < count; k++) text_printf(p->out, "%s%%%d", k ? ", " : "", values[k]->id);
}

static void print_element(Printer *p, const IrTensor *t, int64_t i) {
  switch (t->type.dtype) {
  case IR_F64: text_add_double(p->out, t->data.f64[i]); break;
  case IR_I64: text_printf(p->out, "%lld", (long long)t->data.i64[i]); break;
  case IR_BOOL: text_add(p->out, t->data.boolean[i] ? "true" : "false"); break;
  }
}

/* Elements in order, with those in the middle of a large constant left out. */
static void print_constant(Printer *p, const IrTensor *t) {
  enum { MOST = 12, ENDS = 4 };
  if (t->type.rank == 0) {
    print_element(p, t, 0);
    return;
  }
  text_add(p->out, "{");
  for (int64_t i = 0; i < t->count; i++) {
    if (i) text_add(p->out, ", ");
    if (t->count > MOST && i == ENDS) {
      text_add(p->out, "..., ");
      i = t->count - ENDS;
    }
    print_element(p, t, i);
  }
  text_add(p->out, "}");
}

static void print_attributes(Printer *p, const IrNode *n) {
  const IrAttr *a = &n->attr;
  switch (n->op) {
  case IR_SLICE:
  case IR_REVERSE:
  case IR_CONCAT:
  case IR_CUMSUM:
  case IR_SHAPE: text_printf(p->out, " axis=%d", a->axis); break;
  case IR_GATHER:
  case IR_SCATTER_ADD:
  case IR_SCATTER_SET: text_printf(p->out, " axis=%d batch=%d", a->axis, a->batch); break;
  case IR_LOOP: text_printf(p->out, " carried=%d scanned=%d", a->carried, a->scanned); break;
  default: break;
  }
  for (int k = 0; k < a->axis_count; k++)
    text_printf(p->out, "%s%d", k ? "," : " axes=", a->axes[k]);
  if (a->exclusive) text_add(p->out, " exclusive");
  if (a->reverse) text_add(p->out, n->op == IR_ARGSORT ? " descending" : " reverse");
  if (a->has_condition) text_add(p->out, " while");
}

static void print_body(Printer *p, const IrFunction *f, int depth);

static void need_function(Printer *p, const IrFunction *f) {
  for (int k = 0; k < p->count; k++)
    if (p->pending[k] == f) return;
  ARENA_PUSH(p->arena, p->pending, p->count, p->capacity, f);
}

static void print_node(Printer *p, const IrNode *n, int depth) {
  print_indent(p, depth);
  for (int k = 0; k < n->out_count; k++) {
    text_printf(p->out, "%s%%%d:", k ? ", " : "", n->out[k]->id);
    print_type(p, &n->out[k]->type);
  }
  text_printf(p->out, " = %s", ir_op_name(n->op));
  print_attributes(p, n);
  if (n->op == IR_CONST) {
    text_add(p->out, " ");
    print_constant(p, n->out[0]->constant);
  }
  if (n->op == IR_CALL) {
    text_printf(p->out, " %s", n->body[0]->name ? n->body[0]->name : "function");
    need_function(p, n->body[0]);
  }
  if (n->in_count) text_add(p->out, " ");
  print_values(p, n->in, n->in_count);
  for (int k = 0; k < 2 && n->op != IR_CALL && n->body[k]; k++) {
    text_add(p->out, k ? " else " : " ");
    print_body(p, n->body[k], depth);
  }
  text_add(p->out, "\n");
}

/* "(parameters) { nodes }", without an end of line. */
static void print_body(Printer *p, const IrFunction *f, int depth) {
  text_add(p->out, "(");
  for (int k = 0; k < f->param_count; k++) {
    const char *name = f->param_names ? f->param_names[k] : NULL;
    text_printf(p->out, "%s%%%d", k ? ", " : "", f->params[k]->id);
    if (name) text_printf(p->out, " %s", name);
    text_add(p->out, ":");
    print_type(p, &f->params[k]->type);
  }
  text_add(p->out, ") {\n");
  for (int i = 0; i < f->node_count; i++) print_node(p, f->nodes[i], depth + 1);
  print_indent(p, depth + 1);
  text_add(p->out, "return");
  for (int k = 0; k < f->result_count; k++) {
    text_printf(p->out, "%s %%%d", k ? "," : "", f->results[k]->id);
    if (f->result_names && f->result_names[k]) text_printf(p->out, " %s", f->result_names[k]);
  }
  text_add(p->out, "\n");
  print_indent(p, depth);
  text_add(p->out, "}");
}

void ir_print(Text *out, const IrFunction *f) {
  Printer p = {.out = out, .arena = f->module->arena};
  need_function(&p, f);
  for (int k = 0; k < p.count; k++) {
    text_printf(out, "%s%s ", p.pending[k]->elementwise ? "elementwise " : "",
                p.pending[k]->name ? p.pending[k]->name : "function");
    print_body(&p, p.pending[k], 0);
    text_add(out, "\n");
  }
}
