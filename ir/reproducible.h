/* Rewrites that leave nothing to a runtime but what it can do in one way only: additions,
 * multiplications, divisions and square roots, each rounded as IEEE 754 says, in an order that the
 * graph gives. Mathematical functions of runtimes differ in the last bit, and so do sums, whose
 * order depends on how many elements a register holds, and products of matrices, where there are
 * fused multiply-adds. */
#ifndef STAN2ONNX_IR_REPRODUCIBLE_H
#define STAN2ONNX_IR_REPRODUCIBLE_H

#include "ir/rewrite.h"

/* The value of a node of f64 by nodes of which that holds, or NULL where it holds of the node. */
RewriteRule reproducible_exp, reproducible_log, reproducible_pow, reproducible_tanh,
    reproducible_sin, reproducible_cos, reproducible_quotient, reproducible_sum,
    reproducible_product, reproducible_matmul;

#endif
