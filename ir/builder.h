/* What the files that build functions share: modules, builders, and the steps of ir_emit. */
#ifndef STAN2ONNX_IR_BUILDER_H
#define STAN2ONNX_IR_BUILDER_H

#include "ir/ir.h"

/* ---- the ops table (ops.c) ---- */

/* Infers the result type of op(in...). NULL, or what does not fit; then *out is a type that the
 * result might have had. */
typedef const char *(*ShapeRule)(Arena *a, const IrAttr *attr, IrValue *const *in, int count,
                                 IrType *out);

struct IrOpInfo {
  const char *name;
  int operands; /* -1: any number */
  bool elementwise;
  ShapeRule shape; /* NULL for ops with bodies */
};

const IrOpInfo *ir_op_info(IrOp op);
/* Whether the order of two operands does not matter. */
bool ir_op_commutative(IrOp op);

/* ---- types (shape.c) ---- */

/* Applies the shape rule of op, after checking the number of operands. */
const char *ir_infer_type(Arena *a, IrOp op, const IrAttr *attr, IrValue *const *in, int count,
                          IrType *out);
/* The type of an elementwise op's result, of dtype's kind, over all operands. */
const char *ir_infer_elementwise(Arena *a, IrDtype dtype, IrValue *const *in, int count,
                                 IrType *out);
/* Whether a value of type `have` can stand where `want` is expected: same dtype and rank, and no
 * two known dimensions differ. */
bool ir_type_fits(const IrType *have, const IrType *want);
/* The dimensions known in either of two types that fit. */
IrType ir_type_meet(const IrType *a, const IrType *b);
/* The dimensions known in both: those that differ become dynamic. */
IrType ir_type_join(const IrType *a, const IrType *b);
/* "f64[3,?]" */
const char *ir_type_text(Arena *a, const IrType *t);

/* ---- maps from addresses to values (pointer_map.c) ---- */

typedef struct {
  const void *key;
  void *value;
} PointerEntry;

typedef struct {
  PointerEntry *slots;
  size_t count, capacity;
} PointerMap;

void *pointer_map_get(const PointerMap *m, const void *key);
void pointer_map_set(PointerMap *m, Arena *a, const void *key, void *value);

/* ---- constants (constant.c) ---- */

/* What a module knows of a constant: one for each distinct content. */
typedef struct Constant Constant;
struct Constant {
  const IrTensor *tensor;
  uint64_t hash;
  unsigned facts;
  bool uniform;
  Constant *next; /* in its bucket */
};

typedef struct {
  PointerMap by_tensor;
  Constant **buckets;
  size_t bucket_count, count;
} ConstantTable;

/* The module's constant that equals t in type and content. Looks at the content once per tensor. */
const Constant *constant_intern(IrModule *m, const IrTensor *t);

/* ---- modules and builders ---- */

struct IrModule {
  Arena *arena;
  IrOptions options;
  const char *error;
  ConstantTable constants;
  PointerMap tables; /* tensors that a pass has made, by what they are made of */
};

/* Nodes by op, attributes and operands: open addressing. */
typedef struct {
  IrNode **slots;
  size_t count, capacity;
} NodeTable;

struct IrBuilder {
  IrModule *module;
  IrBuilder *parent;
  IrFunction *function;
  IrNode **nodes; /* so far; the function gets those it needs at its end */
  int node_count, node_capacity;
  int value_count;
  size_t param_capacity;
  int explicit_params;  /* those that ir_param made; captures follow */
  IrValue **captured;   /* the parent's values that captures stand for */
  PointerMap captures;  /* values of enclosing functions to the parameters that stand for them */
  PointerMap constants; /* canonical tensors to their values */
  NodeTable known;      /* for reuse of equal nodes */
  const IrScope *scope;
  bool adjoint, exact;
  bool counts_uses; /* a function is rebuilt here, so that IrValue.uses is known */
  bool ended;
};

/* v as a value of b's own function. */
IrValue *builder_local(IrBuilder *b, IrValue *v);
/* Appends a node with results of the given types, operands local already. No simplification. */
IrNode *builder_append(IrBuilder *b, IrOp op, IrAttr attr, IrValue *const *in, int in_count,
                       const IrType *types, int out_count);
/* An equal node made before, or NULL; and entering one to be found. */
IrNode *builder_find(const IrBuilder *b, IrOp op, const IrAttr *attr, const IrFunction *body,
                     IrValue *const *in, int in_count);
void builder_remember(IrBuilder *b, IrNode *n);
/* Marks, by value id, what the marked values are computed from. */
void mark_live(const IrFunction *f, bool *live);
/* Numbers the values in order of definition. */
void function_renumber(IrFunction *f);
/* Remembers the first error of the module. */
void module_error(IrModule *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool ir_attr_equal(const IrAttr *a, const IrAttr *b);

/* ---- steps of ir_emit ---- */

/* The value of op(in...) where an identity gives it without the op, else NULL (algebra.c). `type`
 * is the type of the result; operands are local to b. */
IrValue *algebra_apply(IrBuilder *b, IrOp op, const IrAttr *attr, IrValue *const *in, int count,
                       const IrType *type);
/* The value of op(in...) where its operands are known, else NULL (fold.c). */
IrValue *fold_apply(IrBuilder *b, IrOp op, const IrAttr *attr, IrValue *const *in, int count,
                    const IrType *type);
/* Evaluates a node with bodies whose operands are all known; false where they are not, or where it
 * fails. */
bool fold_region(IrBuilder *b, const IrNode *n, IrValue **results);
/* The sizes of the result of an elementwise op over `in`, whose type is `type`. */
void elementwise_dims(IrBuilder *b, IrValue *const *in, int count, const IrType *type,
                      IrValue **dims);
/* v, made from some of `in`, broadcast to that result. */
IrValue *elementwise_fit(IrBuilder *b, IrValue *v, IrValue *const *in, int count,
                         const IrType *type);
/* What holds of the results of op(in...) (facts.c); and of a constant's elements. */
unsigned facts_of(IrOp op, const IrAttr *attr, IrValue *const *in, int count, const IrType *type);
unsigned facts_of_tensor(const IrTensor *t);
/* Facts with those that they imply. */
unsigned facts_close(unsigned facts);

/* ---- copying (copy.c) ---- */

/* What a copy does beside copying. */
typedef struct {
  bool hoist;  /* moves what does not change between iterations out of loops */
  bool expand; /* replaces calls by their callees' bodies */
} CopyOptions;

/* The nodes of f are built again in b with parameters replaced by args. */
void copy_function(IrBuilder *b, const IrFunction *f, IrValue *const *args, IrValue **results,
                   CopyOptions options);

#endif
