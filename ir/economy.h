/* Rewrites for speed alone, of functions that are not differentiated any more. */
#ifndef STAN2ONNX_IR_ECONOMY_H
#define STAN2ONNX_IR_ECONOMY_H

#include "ir/copy.h"

/* A function that is being rebuilt. */
typedef struct {
  IrBuilder *b;
  IrValue **map;   /* the copies, by value id */
  const int *uses; /* how often values are read, by value id */
  KeptCallee **callees;
} Economy;

/* Each gives the value of a node by cheaper ones, or NULL: sums with logarithms (join_logs.c) and
 * of products with a matrix (contractions.c), sums of groups of elements that are known beforehand
 * (group_sums.c), what reads or writes elements of rows at indices that others use too
 * (spread_index.c), vectors with multiples of the parts of another one (linear_parts.c), and
 * selections by one condition (join_selects.c), which gives those of later nodes too. */
IrValue *join_logs(const Economy *e, const IrNode *n);
IrValue *contract(const Economy *e, const IrNode *n);
IrValue *group_sums(const Economy *e, const IrNode *n);
IrValue *spread_index(const Economy *e, const IrNode *n);
IrValue *add_multiples(const Economy *e, const IrNode *n);
IrValue *join_selects(const Economy *e, const IrNode *n);

#endif
