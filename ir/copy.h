/* Copying functions: what the files that do it share. */
#ifndef STAN2ONNX_IR_COPY_H
#define STAN2ONNX_IR_COPY_H

#include "ir/builder.h"

/* A function of scalars, made to take batches of them. */
typedef struct BatchedCallee BatchedCallee;
struct BatchedCallee {
  IrFunction *callee, *function;
  uint64_t mask; /* which parameters are batched */
  int levels;
  BatchedCallee *next;
};

/* A callee that stays one, and what becomes of it. */
typedef struct KeptCallee KeptCallee;
struct KeptCallee {
  IrFunction *callee, *function;
  KeptCallee *next;
};

/* What a pass makes of a function; context is the pass's own. */
typedef IrFunction *FunctionPass(IrFunction *f, void *context);
/* The bodies of n, which is a copy, as the pass makes them: one for all calls of a function with a
 * role, in *kept; callees without one stay as they are. */
void pass_bodies(IrNode *n, FunctionPass *pass, KeptCallee **kept, void *context);

typedef struct {
  CopyOptions options;
  BatchedCallee *batched;
  KeptCallee *kept;
} Session;

/* A function on its way into a builder. */
typedef struct Copier Copier;
struct Copier {
  Session *session;
  IrBuilder *b;
  const IrFunction *f;
  IrValue **map;         /* by value id; NULL for what is not copied */
  const bool *live;      /* by value id: what is to be copied; NULL: everything */
  int *uses;             /* by value id: how often copied nodes and the results read it */
  const IrNode **reader; /* by value id: the last node that does */
  Copier *around;        /* the copier of the node whose body this is, when b is the body's */
  bool in_loop;          /* f is the body of a loop, whose parent is `around`'s builder */
  bool runs;             /* that loop has at least one iteration */
  const bool *varies;    /* by value id, where a loop's body is regrouped: what depends on what is
                            carried; else NULL */
  bool doubtful;         /* what is copied might not be reached, so that facts assumed of it may not
                            hold */
};

/* A copier that has copied nothing yet. */
Copier copier_new(Session *s, IrBuilder *b, const IrFunction *f);
/* Counts what live nodes and results read. */
void copier_count_uses(Copier *c);
IrValue *copier_mapped(const Copier *c, const IrValue *v);
/* Copies the live nodes, with uses counted; and one of them, whose operands are mapped. */
void copy_nodes(Copier *c);
void copy_node(Copier *c, const IrNode *n);
/* A loop whose operands are `in`. */
void copy_loop(Copier *c, const IrNode *n, IrValue *const *in);
/* A parameter like that of another function. */
IrValue *copy_param(IrBuilder *b, const IrFunction *f, int k, IrType type);
/* What was known of v becomes known of its copy. */
void keep_knowledge(IrValue *copy, const IrValue *v);
/* Ops that have a value whatever their operands are, so that they may be computed where the
 * program would not have come to them. */
bool node_is_total(const IrNode *n);

#endif
