/* Rewrites for speed alone, of functions that are not differentiated any more. */
#ifndef STAN2ONNX_IR_ECONOMY_H
#define STAN2ONNX_IR_ECONOMY_H

#include "ir/rewrite.h"

/* Each gives the value of a node by cheaper ones: sums with logarithms (join_logs.c) and
 * of products with a matrix (contractions.c), sums of groups of elements that are known beforehand
 * (group_sums.c), what reads or writes elements of rows at indices that others use too
 * (spread_index.c), vectors with multiples of the parts of another one (linear_parts.c), and
 * selections by one condition (join_selects.c), which gives those of later nodes too. */
RewriteRule join_logs, contract, group_sums, spread_index, add_multiples, join_selects;

#endif
