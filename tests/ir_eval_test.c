/* The evaluator: each op on operands whose results were worked out by hand, as a constant and in a
 * plan with sizes known and open. */
#include "eval_check.h"

#include <math.h>
#include <string.h>

enum { MAX_OPERANDS = 4 };

/* ---- ops ---- */

typedef struct {
  const char *name;
  IrOp op;
  IrAttr attr;
  Value in[MAX_OPERANDS];
  int count;
  Value out;
  const char *error; /* a part of the message; NULL: there is a result */
} Case;

static const Case cases[] = {
    {"neg",
     IR_NEG,
     {0},
     {VECTOR(F, 4, 1, -2.5, 0.0, INFINITY)},
     1,
     VECTOR(F, 4, -1, 2.5, -0.0, -INFINITY),
     NULL},
    {"neg i64", IR_NEG, {0}, {VECTOR(I, 3, 7, -2, -0x1p63)}, 1, VECTOR(I, 3, -7, 2, -0x1p63), NULL},
    {"abs",
     IR_ABS,
     {0},
     {VECTOR(F, 4, -1.5, -0.0, NAN, -INFINITY)},
     1,
     VECTOR(F, 4, 1.5, 0, NAN, INFINITY),
     NULL},
    {"abs i64", IR_ABS, {0}, {VECTOR(I, 3, 7, -2, -0x1p63)}, 1, VECTOR(I, 3, 7, 2, -0x1p63), NULL},
    {"sign",
     IR_SIGN,
     {0},
     {VECTOR(F, 5, -3, 0, 2, NAN, -INFINITY)},
     1,
     VECTOR(F, 5, -1, 0, 1, NAN, -1),
     NULL},
    {"sign i64", IR_SIGN, {0}, {VECTOR(I, 3, -3, 0, 2)}, 1, VECTOR(I, 3, -1, 0, 1), NULL},
    {"exp",
     IR_EXP,
     {0},
     {VECTOR(F, 4, 0, -INFINITY, INFINITY, NAN)},
     1,
     VECTOR(F, 4, 1, 0, INFINITY, NAN),
     NULL},
    {"log",
     IR_LOG,
     {0},
     {VECTOR(F, 4, 1, 0, -1, INFINITY)},
     1,
     VECTOR(F, 4, 0, -INFINITY, NAN, INFINITY),
     NULL},
    {"log of nothing", IR_LOG, {0}, {NO_VECTOR(F)}, 1, NO_VECTOR(F), NULL},
    {"log of an integer", IR_LOG, {0}, {SCALAR(I, 1)}, 1, SCALAR(I, 0), "types"},
    {"sqrt", IR_SQRT, {0}, {VECTOR(F, 3, 9, -1, 0.25)}, 1, VECTOR(F, 3, 3, NAN, 0.5), NULL},
    {"sin", IR_SIN, {0}, {VECTOR(F, 2, 0, INFINITY)}, 1, VECTOR(F, 2, 0, NAN), NULL},
    {"cos", IR_COS, {0}, {VECTOR(F, 2, 0, INFINITY)}, 1, VECTOR(F, 2, 1, NAN), NULL},
    {"tanh", IR_TANH, {0}, {VECTOR(F, 3, 0, -INFINITY, 50)}, 1, VECTOR(F, 3, 0, -1, 1), NULL},
    {"floor", IR_FLOOR, {0}, {VECTOR(F, 3, -1.5, 2, 2.9)}, 1, VECTOR(F, 3, -2, 2, 2), NULL},
    {"ceil", IR_CEIL, {0}, {VECTOR(F, 3, -1.5, 2, 2.1)}, 1, VECTOR(F, 3, -1, 2, 3), NULL},
    {"not", IR_NOT, {0}, {VECTOR(B, 2, 0, 1)}, 1, VECTOR(B, 2, 1, 0), NULL},
    {"isnan", IR_ISNAN, {0}, {VECTOR(F, 3, 0, NAN, INFINITY)}, 1, VECTOR(B, 3, 0, 1, 0), NULL},
    {"isinf",
     IR_ISINF,
     {0},
     {VECTOR(F, 4, 0, NAN, INFINITY, -INFINITY)},
     1,
     VECTOR(B, 4, 0, 0, 1, 1),
     NULL},

    {"cast to i64",
     IR_CAST,
     {.dtype = I},
     {VECTOR(F, 4, 2.9, -2.9, 1e300, NAN)},
     1,
     VECTOR(I, 4, 2, -2, -0x1p63, -0x1p63),
     NULL},
    {"cast to bool",
     IR_CAST,
     {.dtype = B},
     {VECTOR(F, 3, 0, -0.5, NAN)},
     1,
     VECTOR(B, 3, 0, 1, 1),
     NULL},
    {"cast to f64", IR_CAST, {.dtype = F}, {VECTOR(I, 2, -3, 5)}, 1, VECTOR(F, 2, -3, 5), NULL},
    {"cast bools", IR_CAST, {.dtype = I}, {VECTOR(B, 2, 1, 0)}, 1, VECTOR(I, 2, 1, 0), NULL},
    {"cast bools to f64", IR_CAST, {.dtype = F}, {VECTOR(B, 2, 1, 0)}, 1, VECTOR(F, 2, 1, 0), NULL},
    {"cast integers to bool",
     IR_CAST,
     {.dtype = B},
     {VECTOR(I, 3, 2, 0, -1)},
     1,
     VECTOR(B, 3, 1, 0, 1),
     NULL},
    {"cast to the same", IR_CAST, {.dtype = I}, {VECTOR(I, 2, 4, 5)}, 1, VECTOR(I, 2, 4, 5), NULL},

    {"add",
     IR_ADD,
     {0},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6), MATRIX(F, 2, 3, 6, 5, 4, 3, 2, 1)},
     2,
     MATRIX(F, 2, 3, 7, 7, 7, 7, 7, 7),
     NULL},
    {"add a scalar",
     IR_ADD,
     {0},
     {MATRIX(F, 2, 2, 1, 2, 3, 4), SCALAR(F, 10)},
     2,
     MATRIX(F, 2, 2, 11, 12, 13, 14),
     NULL},
    {"add a row",
     IR_ADD,
     {0},
     {VECTOR(F, 3, 10, 20, 30), MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6)},
     2,
     MATRIX(F, 2, 3, 11, 22, 33, 14, 25, 36),
     NULL},
    {"add a column",
     IR_ADD,
     {0},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6), MATRIX(F, 2, 1, 10, 20)},
     2,
     MATRIX(F, 2, 3, 11, 12, 13, 24, 25, 26),
     NULL},
    {"add both ways",
     IR_ADD,
     {0},
     {MATRIX(I, 2, 1, 10, 20), MATRIX(I, 1, 3, 1, 2, 3)},
     2,
     MATRIX(I, 2, 3, 11, 12, 13, 21, 22, 23),
     NULL},
    {"add in the middle",
     IR_ADD,
     {0},
     {CUBE(I, 2, 1, 2, 10, 20, 30, 40), CUBE(I, 2, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)},
     2,
     CUBE(I, 2, 3, 2, 11, 22, 13, 24, 15, 26, 37, 48, 39, 50, 41, 52),
     NULL},
    {"add nothing",
     IR_ADD,
     {0},
     {NO_MATRIX(F, 0, 3), VECTOR(F, 3, 1, 2, 3)},
     2,
     NO_MATRIX(F, 0, 3),
     NULL},
    {"add wraps",
     IR_ADD,
     {0},
     {VECTOR(I, 2, -0x1p63, 0x1p62), VECTOR(I, 2, -0x1p63, 0x1p62)},
     2,
     VECTOR(I, 2, 0, -0x1p63),
     NULL},
    {"add of other sizes",
     IR_ADD,
     {0},
     {VECTOR(F, 3, 1, 2, 3), VECTOR(F, 2, 1, 2)},
     2,
     NO_VECTOR(F),
     "agree"},
    {"add of other types", IR_ADD, {0}, {SCALAR(F, 1), SCALAR(I, 2)}, 2, SCALAR(F, 0), "types"},
    {"sub", IR_SUB, {0}, {SCALAR(F, 10), VECTOR(F, 2, 3, 12)}, 2, VECTOR(F, 2, 7, -2), NULL},
    {"sub i64", IR_SUB, {0}, {VECTOR(I, 2, 3, 12), SCALAR(I, 10)}, 2, VECTOR(I, 2, -7, 2), NULL},
    {"mul",
     IR_MUL,
     {0},
     {VECTOR(F, 3, 2, 0, 5), VECTOR(F, 3, 3, INFINITY, -1)},
     2,
     VECTOR(F, 3, 6, NAN, -5),
     NULL},
    {"mul wraps",
     IR_MUL,
     {0},
     {VECTOR(I, 3, 0x1p62, 0x1p32, 7), VECTOR(I, 3, 2, 0x1p32, 6)},
     2,
     VECTOR(I, 3, -0x1p63, 0, 42),
     NULL},
    {"div",
     IR_DIV,
     {0},
     {VECTOR(F, 3, 1, -1, 0), SCALAR(F, 0)},
     2,
     VECTOR(F, 3, INFINITY, -INFINITY, NAN),
     NULL},
    {"div i64",
     IR_DIV,
     {0},
     {VECTOR(I, 4, 7, -7, 7, -7), VECTOR(I, 4, 2, 2, -2, -2)},
     2,
     VECTOR(I, 4, 3, -3, -3, 3),
     NULL},
    {"div by zero", IR_DIV, {0}, {VECTOR(I, 2, 7, 1), VECTOR(I, 2, 1, 0)}, 2, NO_VECTOR(I), "zero"},
    {"div overflows", IR_DIV, {0}, {SCALAR(I, -0x1p63), SCALAR(I, -1)}, 2, SCALAR(I, 0), "large"},
    {"mod",
     IR_MOD,
     {0},
     {VECTOR(F, 3, 7.5, -7.5, 1), VECTOR(F, 3, 2, 2, 0)},
     2,
     VECTOR(F, 3, 1.5, -1.5, NAN),
     NULL},
    {"mod i64",
     IR_MOD,
     {0},
     {VECTOR(I, 4, 7, -7, 7, -0x1p63), VECTOR(I, 4, 3, 3, -3, -1)},
     2,
     VECTOR(I, 4, 1, -1, 1, 0),
     NULL},
    {"mod by zero", IR_MOD, {0}, {SCALAR(I, 3), SCALAR(I, 0)}, 2, SCALAR(I, 0), "zero"},
    {"pow",
     IR_POW,
     {0},
     {VECTOR(F, 5, 2, 9, 0, -2, NAN), VECTOR(F, 5, 10, 0.5, 0, 3, 0)},
     2,
     VECTOR(F, 5, 1024, 3, 1, -8, 1),
     NULL},
    {"min",
     IR_MIN,
     {0},
     {VECTOR(F, 3, 1, NAN, 3), VECTOR(F, 3, 2, 1, NAN)},
     2,
     VECTOR(F, 3, 1, NAN, NAN),
     NULL},
    {"max",
     IR_MAX,
     {0},
     {VECTOR(F, 3, 1, NAN, 3), VECTOR(F, 3, 2, 1, NAN)},
     2,
     VECTOR(F, 3, 2, NAN, NAN),
     NULL},
    {"min i64", IR_MIN, {0}, {VECTOR(I, 2, 1, 5), SCALAR(I, 3)}, 2, VECTOR(I, 2, 1, 3), NULL},
    {"max i64", IR_MAX, {0}, {SCALAR(I, 3), VECTOR(I, 2, 1, 5)}, 2, VECTOR(I, 2, 3, 5), NULL},
    {"eq",
     IR_EQ,
     {0},
     {VECTOR(F, 4, 1, NAN, 0.0, 2), VECTOR(F, 4, 1, NAN, -0.0, 3)},
     2,
     VECTOR(B, 4, 1, 0, 1, 0),
     NULL},
    {"ne",
     IR_NE,
     {0},
     {VECTOR(F, 3, 1, NAN, 2), VECTOR(F, 3, 1, NAN, 3)},
     2,
     VECTOR(B, 3, 0, 1, 1),
     NULL},
    {"lt", IR_LT, {0}, {VECTOR(I, 3, 1, 2, 3), SCALAR(I, 2)}, 2, VECTOR(B, 3, 1, 0, 0), NULL},
    {"le", IR_LE, {0}, {VECTOR(F, 3, 1, 2, NAN), SCALAR(F, 2)}, 2, VECTOR(B, 3, 1, 1, 0), NULL},
    {"gt",
     IR_GT,
     {0},
     {VECTOR(B, 4, 0, 0, 1, 1), VECTOR(B, 4, 0, 1, 0, 1)},
     2,
     VECTOR(B, 4, 0, 0, 1, 0),
     NULL},
    {"ge", IR_GE, {0}, {VECTOR(I, 3, 1, 2, 3), SCALAR(I, 2)}, 2, VECTOR(B, 3, 0, 1, 1), NULL},
    {"and",
     IR_AND,
     {0},
     {VECTOR(B, 4, 0, 0, 1, 1), VECTOR(B, 4, 0, 1, 0, 1)},
     2,
     VECTOR(B, 4, 0, 0, 0, 1),
     NULL},
    {"or",
     IR_OR,
     {0},
     {VECTOR(B, 4, 0, 0, 1, 1), VECTOR(B, 4, 0, 1, 0, 1)},
     2,
     VECTOR(B, 4, 0, 1, 1, 1),
     NULL},
    {"select",
     IR_SELECT,
     {0},
     {VECTOR(B, 3, 1, 0, 1), VECTOR(F, 3, 1, 2, 3), VECTOR(F, 3, 10, 20, 30)},
     3,
     VECTOR(F, 3, 1, 20, 3),
     NULL},
    {"select one for all",
     IR_SELECT,
     {0},
     {SCALAR(B, 0), VECTOR(I, 2, 1, 2), MATRIX(I, 2, 1, 7, 8)},
     3,
     MATRIX(I, 2, 2, 7, 7, 8, 8),
     NULL},
    {"select bools",
     IR_SELECT,
     {0},
     {VECTOR(B, 2, 1, 0), SCALAR(B, 1), SCALAR(B, 0)},
     3,
     VECTOR(B, 2, 1, 0),
     NULL},
    {"select a scalar or not",
     IR_SELECT,
     {0},
     {VECTOR(B, 3, 1, 0, 1), SCALAR(F, 5), VECTOR(F, 3, 1, 2, 3)},
     3,
     VECTOR(F, 3, 5, 2, 5),
     NULL},
    {"select not or a scalar",
     IR_SELECT,
     {0},
     {VECTOR(B, 3, 1, 0, 1), VECTOR(F, 3, 1, 2, 3), SCALAR(F, 5)},
     3,
     VECTOR(F, 3, 1, 5, 3),
     NULL},

    {"uniform",
     IR_UNIFORM,
     {0},
     {VECTOR(I, 5, 0, 4095, 4096, 0x1p62, -1)},
     1,
     VECTOR(F, 5, 0, 0, 0x1p-52, 0.25, 1 - 0x1p-52),
     NULL},

    {"broadcast",
     IR_BROADCAST,
     {0},
     {VECTOR(F, 2, 1, 2), SCALAR(I, 3), SCALAR(I, 2)},
     3,
     MATRIX(F, 3, 2, 1, 2, 1, 2, 1, 2),
     NULL},
    {"broadcast a column",
     IR_BROADCAST,
     {0},
     {MATRIX(B, 2, 1, 1, 0), SCALAR(I, 2), SCALAR(I, 3)},
     3,
     MATRIX(B, 2, 3, 1, 1, 1, 0, 0, 0),
     NULL},
    {"broadcast a scalar",
     IR_BROADCAST,
     {0},
     {SCALAR(I, 4), SCALAR(I, 3)},
     2,
     VECTOR(I, 3, 4, 4, 4),
     NULL},
    {"broadcast to nothing",
     IR_BROADCAST,
     {0},
     {SCALAR(F, 4), SCALAR(I, 0)},
     2,
     NO_VECTOR(F),
     NULL},
    {"broadcast to the same",
     IR_BROADCAST,
     {0},
     {VECTOR(F, 2, 1, 2), SCALAR(I, 2)},
     2,
     VECTOR(F, 2, 1, 2),
     NULL},
    {"broadcast to another size",
     IR_BROADCAST,
     {0},
     {VECTOR(F, 2, 1, 2), SCALAR(I, 3)},
     2,
     NO_VECTOR(F),
     "size 2 to 3"},
    {"broadcast to less than nothing",
     IR_BROADCAST,
     {0},
     {SCALAR(F, 2), SCALAR(I, -1)},
     2,
     NO_VECTOR(F),
     "size"},
    {"broadcast too far",
     IR_BROADCAST,
     {0},
     {SCALAR(F, 2), SCALAR(I, 0x1p20), SCALAR(I, 0x1p20)},
     3,
     NO_VECTOR(F),
     "elements"},
    {"broadcast beyond all bounds",
     IR_BROADCAST,
     {0},
     {SCALAR(F, 2), SCALAR(I, 0x1p62), SCALAR(I, 0x1p62), SCALAR(I, 0)},
     4,
     NO_VECTOR(F),
     "elements"},
    {"reshape",
     IR_RESHAPE,
     {0},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6), SCALAR(I, 3), SCALAR(I, 2)},
     3,
     MATRIX(F, 3, 2, 1, 2, 3, 4, 5, 6),
     NULL},
    {"reshape to a scalar", IR_RESHAPE, {0}, {MATRIX(I, 1, 1, 5)}, 1, SCALAR(I, 5), NULL},
    {"reshape to other counts",
     IR_RESHAPE,
     {0},
     {VECTOR(F, 3, 1, 2, 3), SCALAR(I, 2)},
     2,
     NO_VECTOR(F),
     "3 elements"},
    {"transpose",
     IR_TRANSPOSE,
     {.axis_count = 2, .axes = {1, 0}},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6)},
     1,
     MATRIX(F, 3, 2, 1, 4, 2, 5, 3, 6),
     NULL},
    {"transpose a cube",
     IR_TRANSPOSE,
     {.axis_count = 3, .axes = {2, 0, 1}},
     {CUBE(I, 2, 2, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)},
     1,
     CUBE(I, 3, 2, 2, 1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12),
     NULL},
    {"transpose leading axes",
     IR_TRANSPOSE,
     {.axis_count = 3, .axes = {1, 0, 2}},
     {CUBE(B, 2, 2, 2, 1, 0, 0, 0, 1, 1, 0, 1)},
     1,
     CUBE(B, 2, 2, 2, 1, 0, 1, 1, 0, 0, 0, 1),
     NULL},
    {"transpose a row",
     IR_TRANSPOSE,
     {.axis_count = 2, .axes = {1, 0}},
     {MATRIX(F, 1, 2, 1, 2)},
     1,
     MATRIX(F, 2, 1, 1, 2),
     NULL},
    {"slice",
     IR_SLICE,
     {.axis = 1},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6), SCALAR(I, 1), SCALAR(I, 2)},
     3,
     MATRIX(F, 2, 2, 2, 3, 5, 6),
     NULL},
    {"slice rows",
     IR_SLICE,
     {.axis = 0},
     {MATRIX(F, 3, 2, 1, 2, 3, 4, 5, 6), SCALAR(I, 1), SCALAR(I, 1)},
     3,
     MATRIX(F, 1, 2, 3, 4),
     NULL},
    {"slice nothing",
     IR_SLICE,
     {.axis = 0},
     {VECTOR(F, 2, 1, 2), SCALAR(I, 2), SCALAR(I, 0)},
     3,
     NO_VECTOR(F),
     NULL},
    {"slice beyond",
     IR_SLICE,
     {.axis = 0},
     {VECTOR(F, 2, 1, 2), SCALAR(I, 1), SCALAR(I, 2)},
     3,
     NO_VECTOR(F),
     "from 1"},
    {"slice before",
     IR_SLICE,
     {.axis = 0},
     {VECTOR(F, 2, 1, 2), SCALAR(I, -1), SCALAR(I, 1)},
     3,
     NO_VECTOR(F),
     "from -1"},
    {"slice far beyond",
     IR_SLICE,
     {.axis = 0},
     {VECTOR(F, 2, 1, 2), SCALAR(I, 0x1p62), SCALAR(I, 0x1p62)},
     3,
     NO_VECTOR(F),
     "of 2"},
    {"reverse",
     IR_REVERSE,
     {.axis = 1},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6)},
     1,
     MATRIX(F, 2, 3, 3, 2, 1, 6, 5, 4),
     NULL},
    {"reverse rows",
     IR_REVERSE,
     {.axis = 0},
     {MATRIX(B, 2, 2, 1, 0, 1, 1)},
     1,
     MATRIX(B, 2, 2, 1, 1, 1, 0),
     NULL},
    {"reverse nothing", IR_REVERSE, {.axis = 0}, {NO_VECTOR(I)}, 1, NO_VECTOR(I), NULL},
    {"concat",
     IR_CONCAT,
     {.axis = 1},
     {MATRIX(F, 2, 1, 1, 2), MATRIX(F, 2, 2, 3, 4, 5, 6)},
     2,
     MATRIX(F, 2, 3, 1, 3, 4, 2, 5, 6),
     NULL},
    {"concat with nothing",
     IR_CONCAT,
     {.axis = 0},
     {NO_VECTOR(I), VECTOR(I, 2, 1, 2), NO_VECTOR(I)},
     3,
     VECTOR(I, 2, 1, 2),
     NULL},
    {"concat nothing", IR_CONCAT, {.axis = 0}, {NO_VECTOR(I), NO_VECTOR(I)}, 2, NO_VECTOR(I), NULL},
    {"concat of other sizes",
     IR_CONCAT,
     {.axis = 1},
     {MATRIX(F, 2, 1, 1, 2), MATRIX(F, 3, 1, 3, 4, 5)},
     2,
     NO_VECTOR(F),
     "agree"},
    {"iota", IR_IOTA, {0}, {SCALAR(I, 4)}, 1, VECTOR(I, 4, 0, 1, 2, 3), NULL},
    {"iota of nothing", IR_IOTA, {0}, {SCALAR(I, 0)}, 1, NO_VECTOR(I), NULL},
    {"iota of less", IR_IOTA, {0}, {SCALAR(I, -1)}, 1, NO_VECTOR(I), "size"},
    {"iota of too many", IR_IOTA, {0}, {SCALAR(I, 0x1p40)}, 1, NO_VECTOR(I), "elements"},
    {"shape", IR_SHAPE, {.axis = 1}, {NO_MATRIX(F, 0, 3)}, 1, SCALAR(I, 3), NULL},

    {"sum",
     IR_REDUCE_SUM,
     {.axis_count = 1, .axes = {1}},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6)},
     1,
     VECTOR(F, 2, 6, 15),
     NULL},
    {"sum of columns",
     IR_REDUCE_SUM,
     {.axis_count = 1, .axes = {0}},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6)},
     1,
     VECTOR(F, 3, 5, 7, 9),
     NULL},
    {"sum of all",
     IR_REDUCE_SUM,
     {.axis_count = 2, .axes = {0, 1}},
     {MATRIX(I, 2, 3, 1, 2, 3, 4, 5, 6)},
     1,
     SCALAR(I, 21),
     NULL},
    {"sum around",
     IR_REDUCE_SUM,
     {.axis_count = 2, .axes = {0, 2}},
     {CUBE(F, 2, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)},
     1,
     VECTOR(F, 3, 18, 26, 34),
     NULL},
    {"sum inside",
     IR_REDUCE_SUM,
     {.axis_count = 1, .axes = {1}},
     {CUBE(I, 2, 3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)},
     1,
     MATRIX(I, 2, 2, 9, 12, 27, 30),
     NULL},
    {"sum of nothing",
     IR_REDUCE_SUM,
     {.axis_count = 1, .axes = {0}},
     {NO_MATRIX(F, 0, 2)},
     1,
     VECTOR(F, 2, 0, 0),
     NULL},
    {"nothing of sums",
     IR_REDUCE_SUM,
     {.axis_count = 1, .axes = {1}},
     {NO_MATRIX(F, 0, 2)},
     1,
     NO_VECTOR(F),
     NULL},
    {"sum over no axes", IR_REDUCE_SUM, {0}, {VECTOR(F, 2, 1, 2)}, 1, VECTOR(F, 2, 1, 2), NULL},
    {"prod",
     IR_REDUCE_PROD,
     {.axis_count = 1, .axes = {0}},
     {MATRIX(F, 2, 2, 1, 2, 3, 4)},
     1,
     VECTOR(F, 2, 3, 8),
     NULL},
    {"prod i64",
     IR_REDUCE_PROD,
     {.axis_count = 1, .axes = {0}},
     {VECTOR(I, 3, 2, 3, 7)},
     1,
     SCALAR(I, 42),
     NULL},
    {"prod of nothing",
     IR_REDUCE_PROD,
     {.axis_count = 1, .axes = {0}},
     {NO_VECTOR(F)},
     1,
     SCALAR(F, 1),
     NULL},
    {"max of rows",
     IR_REDUCE_MAX,
     {.axis_count = 1, .axes = {1}},
     {MATRIX(F, 3, 3, 1, 5, 3, 1, NAN, 3, -INFINITY, -2, -1)},
     1,
     VECTOR(F, 3, 5, NAN, -1),
     NULL},
    {"max of nothing",
     IR_REDUCE_MAX,
     {.axis_count = 1, .axes = {0}},
     {NO_VECTOR(F)},
     1,
     SCALAR(F, -INFINITY),
     NULL},
    {"min of columns",
     IR_REDUCE_MIN,
     {.axis_count = 1, .axes = {0}},
     {MATRIX(F, 2, 3, 1, NAN, 3, 0, 2, INFINITY)},
     1,
     VECTOR(F, 3, 0, NAN, 3),
     NULL},
    {"max i64",
     IR_REDUCE_MAX,
     {.axis_count = 1, .axes = {0}},
     {VECTOR(I, 3, -5, -2, -9)},
     1,
     SCALAR(I, -2),
     NULL},
    {"min i64",
     IR_REDUCE_MIN,
     {.axis_count = 1, .axes = {0}},
     {VECTOR(I, 3, 5, 2, 9)},
     1,
     SCALAR(I, 2),
     NULL},
    {"any",
     IR_REDUCE_ANY,
     {.axis_count = 1, .axes = {1}},
     {MATRIX(B, 2, 2, 0, 0, 0, 1)},
     1,
     VECTOR(B, 2, 0, 1),
     NULL},
    {"any of nothing",
     IR_REDUCE_ANY,
     {.axis_count = 1, .axes = {0}},
     {NO_VECTOR(B)},
     1,
     SCALAR(B, 0),
     NULL},
    {"all",
     IR_REDUCE_ALL,
     {.axis_count = 1, .axes = {1}},
     {MATRIX(B, 2, 2, 0, 1, 1, 1)},
     1,
     VECTOR(B, 2, 0, 1),
     NULL},
    {"all of nothing",
     IR_REDUCE_ALL,
     {.axis_count = 1, .axes = {0}},
     {NO_VECTOR(B)},
     1,
     SCALAR(B, 1),
     NULL},
    {"cumsum",
     IR_CUMSUM,
     {.axis = 0},
     {VECTOR(F, 4, 1, 2, 3, 4)},
     1,
     VECTOR(F, 4, 1, 3, 6, 10),
     NULL},
    {"cumsum exclusive",
     IR_CUMSUM,
     {.axis = 0, .exclusive = true},
     {VECTOR(F, 4, 1, 2, 3, 4)},
     1,
     VECTOR(F, 4, 0, 1, 3, 6),
     NULL},
    {"cumsum in reverse",
     IR_CUMSUM,
     {.axis = 1, .reverse = true},
     {MATRIX(I, 2, 3, 1, 2, 3, 4, 5, 6)},
     1,
     MATRIX(I, 2, 3, 6, 5, 3, 15, 11, 6),
     NULL},
    {"cumsum both",
     IR_CUMSUM,
     {.axis = 0, .reverse = true, .exclusive = true},
     {MATRIX(F, 3, 2, 1, 2, 3, 4, 5, 6)},
     1,
     MATRIX(F, 3, 2, 8, 10, 5, 6, 0, 0),
     NULL},
    {"cumsum down",
     IR_CUMSUM,
     {.axis = 0},
     {MATRIX(F, 3, 2, 1, 2, 3, 4, 5, 6)},
     1,
     MATRIX(F, 3, 2, 1, 2, 4, 6, 9, 12),
     NULL},
    {"cumsum of nothing", IR_CUMSUM, {.axis = 0}, {NO_VECTOR(F)}, 1, NO_VECTOR(F), NULL},
    {"argsort",
     IR_ARGSORT,
     {0},
     {VECTOR(F, 7, 3, NAN, 1, -INFINITY, 3, -0.0, 0.0)},
     1,
     VECTOR(I, 7, 3, 5, 6, 2, 0, 4, 1),
     NULL},
    {"argsort descending",
     IR_ARGSORT,
     {.reverse = true},
     {VECTOR(F, 7, 3, NAN, 1, INFINITY, 3, -2, 1)},
     1,
     VECTOR(I, 7, 3, 0, 4, 2, 6, 5, 1),
     NULL},
    {"argsort rows",
     IR_ARGSORT,
     {0},
     {MATRIX(I, 2, 3, 3, -1, 2, 5, 5, 4)},
     1,
     MATRIX(I, 2, 3, 1, 2, 0, 2, 0, 1),
     NULL},
    {"argsort i64 descending",
     IR_ARGSORT,
     {.reverse = true},
     {VECTOR(I, 4, 1, 2, 2, -0x1p63)},
     1,
     VECTOR(I, 4, 1, 2, 0, 3),
     NULL},
    {"argsort of nothing", IR_ARGSORT, {0}, {NO_MATRIX(F, 2, 0)}, 1, NO_MATRIX(I, 2, 0), NULL},
    {"nonzero", IR_NONZERO, {0}, {VECTOR(B, 5, 0, 1, 1, 0, 1)}, 1, VECTOR(I, 3, 1, 2, 4), NULL},
    {"nonzero of none", IR_NONZERO, {0}, {VECTOR(B, 2, 0, 0)}, 1, NO_VECTOR(I), NULL},

    {"gather",
     IR_GATHER,
     {.axis = 0},
     {VECTOR(F, 3, 10, 20, 30), VECTOR(I, 4, 2, 0, 0, 1)},
     2,
     VECTOR(F, 4, 30, 10, 10, 20),
     NULL},
    {"gather rows",
     IR_GATHER,
     {.axis = 0},
     {MATRIX(F, 3, 2, 1, 2, 3, 4, 5, 6), VECTOR(I, 2, 2, 0)},
     2,
     MATRIX(F, 2, 2, 5, 6, 1, 2),
     NULL},
    {"gather columns",
     IR_GATHER,
     {.axis = 1},
     {MATRIX(B, 2, 3, 1, 0, 0, 0, 0, 1), MATRIX(I, 2, 1, 2, 0)},
     2,
     CUBE(B, 2, 2, 1, 0, 1, 1, 0),
     NULL},
    {"gather one row",
     IR_GATHER,
     {.axis = 0},
     {MATRIX(F, 3, 2, 1, 2, 3, 4, 5, 6), SCALAR(I, 1)},
     2,
     VECTOR(F, 2, 3, 4),
     NULL},
    {"gather one column",
     IR_GATHER,
     {.axis = 1},
     {MATRIX(I, 3, 2, 1, 2, 3, 4, 5, 6), SCALAR(I, 1)},
     2,
     VECTOR(I, 3, 2, 4, 6),
     NULL},
    {"gather of each",
     IR_GATHER,
     {.axis = 1, .batch = 1},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6), MATRIX(I, 2, 2, 2, 0, 1, 1)},
     2,
     MATRIX(F, 2, 2, 3, 1, 5, 5),
     NULL},
    {"gather one of each",
     IR_GATHER,
     {.axis = 1, .batch = 1},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6), VECTOR(I, 2, 2, 0)},
     2,
     VECTOR(F, 2, 3, 4),
     NULL},
    {"gather nothing", IR_GATHER, {.axis = 0}, {NO_VECTOR(F), NO_VECTOR(I)}, 2, NO_VECTOR(F), NULL},
    {"gather beyond",
     IR_GATHER,
     {.axis = 0},
     {VECTOR(F, 2, 1, 2), VECTOR(I, 1, 2)},
     2,
     NO_VECTOR(F),
     "index 2 of 2"},
    {"gather before",
     IR_GATHER,
     {.axis = 0},
     {VECTOR(F, 2, 1, 2), SCALAR(I, -1)},
     2,
     SCALAR(F, 0),
     "index -1"},
    {"gather of other batches",
     IR_GATHER,
     {.axis = 1, .batch = 1},
     {MATRIX(F, 2, 1, 1, 2), MATRIX(I, 3, 1, 0, 0, 0)},
     2,
     NO_VECTOR(F),
     "agree"},
    {"scatter_add",
     IR_SCATTER_ADD,
     {.axis = 0},
     {VECTOR(F, 3, 1, 2, 3), VECTOR(I, 4, 2, 0, 2, 2), VECTOR(F, 4, 10, 20, 30, 40)},
     3,
     VECTOR(F, 3, 21, 2, 83),
     NULL},
    {"scatter_add columns",
     IR_SCATTER_ADD,
     {.axis = 1},
     {MATRIX(I, 2, 2, 1, 2, 3, 4), VECTOR(I, 3, 1, 1, 0), MATRIX(I, 2, 3, 1, 2, 3, 4, 5, 6)},
     3,
     MATRIX(I, 2, 2, 4, 5, 9, 13),
     NULL},
    {"scatter_add rows",
     IR_SCATTER_ADD,
     {.axis = 0},
     {MATRIX(F, 2, 2, 1, 2, 3, 4), SCALAR(I, 1), VECTOR(F, 2, 10, 20)},
     3,
     MATRIX(F, 2, 2, 1, 2, 13, 24),
     NULL},
    {"scatter_add of each",
     IR_SCATTER_ADD,
     {.axis = 1, .batch = 1},
     {MATRIX(F, 2, 2, 1, 2, 3, 4), VECTOR(I, 2, 1, 0), VECTOR(F, 2, 10, 20)},
     3,
     MATRIX(F, 2, 2, 1, 12, 23, 4),
     NULL},
    {"scatter_set",
     IR_SCATTER_SET,
     {.axis = 0},
     {VECTOR(F, 3, 1, 2, 3), VECTOR(I, 3, 2, 0, 2), VECTOR(F, 3, 10, 20, 30)},
     3,
     VECTOR(F, 3, 20, 2, 30),
     NULL},
    {"scatter_set bools",
     IR_SCATTER_SET,
     {.axis = 0},
     {VECTOR(B, 3, 0, 0, 1), VECTOR(I, 2, 0, 2), VECTOR(B, 2, 1, 0)},
     3,
     VECTOR(B, 3, 1, 0, 0),
     NULL},
    {"scatter_set of itself",
     IR_SCATTER_SET,
     {.axis = 0},
     {VECTOR(F, 2, 1, 2), NO_VECTOR(I), NO_VECTOR(F)},
     3,
     VECTOR(F, 2, 1, 2),
     NULL},
    {"scatter beyond",
     IR_SCATTER_SET,
     {.axis = 0},
     {VECTOR(F, 2, 1, 2), VECTOR(I, 1, 2), VECTOR(F, 1, 9)},
     3,
     NO_VECTOR(F),
     "index 2"},
    {"scatter of other sizes",
     IR_SCATTER_ADD,
     {.axis = 0},
     {VECTOR(F, 2, 1, 2), VECTOR(I, 2, 0, 1), VECTOR(F, 3, 9, 9, 9)},
     3,
     NO_VECTOR(F),
     "size 3"},

    {"matmul",
     IR_MATMUL,
     {0},
     {MATRIX(F, 2, 3, 1, 2, 3, 4, 5, 6), MATRIX(F, 3, 2, 1, 2, 3, 4, 5, 6)},
     2,
     MATRIX(F, 2, 2, 22, 28, 49, 64),
     NULL},
    {"matmul i64",
     IR_MATMUL,
     {0},
     {MATRIX(I, 1, 2, 3, 4), MATRIX(I, 2, 1, 5, 6)},
     2,
     MATRIX(I, 1, 1, 39),
     NULL},
    {"matmul of batches",
     IR_MATMUL,
     {0},
     {CUBE(F, 2, 1, 2, 1, 2, 3, 4), CUBE(F, 2, 2, 1, 5, 6, 7, 8)},
     2,
     CUBE(F, 2, 1, 1, 17, 53),
     NULL},
    {"matmul with one",
     IR_MATMUL,
     {0},
     {MATRIX(F, 1, 2, 1, 10), CUBE(F, 2, 2, 1, 5, 6, 7, 8)},
     2,
     CUBE(F, 2, 1, 1, 65, 87),
     NULL},
    {"matmul of nothing",
     IR_MATMUL,
     {0},
     {NO_MATRIX(F, 2, 0), NO_MATRIX(F, 0, 2)},
     2,
     MATRIX(F, 2, 2, 0, 0, 0, 0),
     NULL},
    {"matmul keeps NaN",
     IR_MATMUL,
     {0},
     {MATRIX(F, 1, 2, 0, 1), MATRIX(F, 2, 1, NAN, 2)},
     2,
     MATRIX(F, 1, 1, NAN),
     NULL},
    {"matmul of other sizes",
     IR_MATMUL,
     {0},
     {MATRIX(F, 2, 2, 1, 2, 3, 4), MATRIX(F, 3, 1, 1, 2, 3)},
     2,
     NO_VECTOR(F),
     "columns"},
};

/* The op alone, as a function of its operands; a size that is not 1 open where asked for. NULL
 * where the operands do not even fit as far as is known. */
static IrFunction *function_of(const Case *c, bool open_sizes) {
  IrBuilder *b = begin_plain(c->name);
  IrValue *in[MAX_OPERANDS];
  for (int k = 0; k < c->count; k++) {
    IrType t = ir_type(c->in[k].dtype, c->in[k].rank, c->in[k].dims);
    for (int j = 0; j < t.rank && open_sizes; j++)
      if (t.dim[j] != 1) t.dim[j] = IR_DYNAMIC;
    in[k] = ir_param(b, t, NULL);
  }
  IrValue *out = ir_emit(b, c->op, c->attr, in, c->count);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  return ir_module_error(ir_builder_module(b)) ? NULL : f;
}

START_TEST(op) {
  const Case *c = &cases[_i];
  const IrTensor *args[MAX_OPERANDS];
  IrTensor *result;
  for (int k = 0; k < c->count; k++) args[k] = tensor_of_value(&c->in[k]);
  const char *error = ir_eval_op(arena, c->op, &c->attr, args, c->count, &result);
  for (int way = 0; way < 3; way++) {
    if (way > 0) {
      IrFunction *f = function_of(c, way == 2);
      if (!f) continue;
      error = run_twice(f, args, &result);
    }
    if (c->error) {
      ck_assert_msg(error != NULL, "%s: no error", c->name);
      ck_assert_msg(strstr(error, c->error) != NULL, "%s: %s", c->name, error);
    } else {
      ck_assert_msg(!error, "%s: %s", c->name, error);
      check_same(c->name, result, tensor_of_value(&c->out));
    }
  }
}
END_TEST

/* ---- what the table leaves out ---- */

static IrTensor *reals(int64_t n) {
  IrTensor *t = ir_tensor_new(arena, ir_type(F, 1, &n));
  return t;
}

/* 1 and then terms too small to change it one by one. */
START_TEST(long_sums) {
  int64_t n = 1000003;
  IrTensor *x = reals(n), *sum;
  const IrTensor *in[] = {x};
  IrAttr attr = {.axis_count = 1};
  x->data.f64[0] = 1;
  for (int64_t i = 1; i < n; i++) x->data.f64[i] = 0x1p-54;
  double expected = 1 + (double)(n - 1) * 0x1p-54;
  ck_assert_ptr_null(ir_eval_op(arena, IR_REDUCE_SUM, &attr, in, 1, &sum));
  ck_assert_double_eq_tol(sum->data.f64[0], expected, 0x1p-50);
  x->type = ir_type(F, 2, (int64_t[]){n, 1});
  ck_assert_ptr_null(ir_eval_op(arena, IR_REDUCE_SUM, &attr, in, 1, &sum));
  ck_assert_double_eq_tol(sum->data.f64[0], expected, 0x1p-50);
  double wide = 0;
  int64_t rows = 100001;
  x = ir_tensor_new(arena, ir_type(F, 2, (int64_t[]){rows, 35}));
  in[0] = x;
  for (int64_t i = 0; i < x->count; i++) x->data.f64[i] = i < 35 ? 1 : 0x1p-54;
  ck_assert_ptr_null(ir_eval_op(arena, IR_REDUCE_SUM, &attr, in, 1, &sum));
  for (int j = 0; j < 35; j++)
    wide = fmax(wide, fabs(sum->data.f64[j] - (1 + (double)(rows - 1) * 0x1p-54)));
  ck_assert_double_lt(wide, 0x1p-50);
}
END_TEST

/* Larger than the tiles of the copies and products. */
START_TEST(large_matrices) {
  enum { N = 37, M = 21, L = 301 };
  IrTensor *x = ir_tensor_new(arena, ir_type(F, 2, (int64_t[]){N, L}));
  IrTensor *y = ir_tensor_new(arena, ir_type(F, 2, (int64_t[]){L, M})), *z, *t;
  for (int i = 0; i < N * L; i++) x->data.f64[i] = i * 7 % 11 - 5;
  for (int i = 0; i < L * M; i++) y->data.f64[i] = i * 5 % 13 - 6;
  const IrTensor *in[] = {x, y};
  ck_assert_ptr_null(ir_eval_op(arena, IR_MATMUL, &(IrAttr){0}, in, 2, &z));
  in[0] = z;
  IrAttr swap = {.axis_count = 2, .axes = {1, 0}};
  ck_assert_ptr_null(ir_eval_op(arena, IR_TRANSPOSE, &swap, in, 1, &t));
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      double sum = 0;
      for (int k = 0; k < L; k++) sum += x->data.f64[i * L + k] * y->data.f64[k * M + j];
      ck_assert_double_eq(z->data.f64[i * M + j], sum);
      ck_assert_double_eq(t->data.f64[j * N + i], sum);
    }
}
END_TEST

START_TEST(long_sort) {
  int64_t n = 10007;
  IrTensor *x = reals(n), *order;
  const IrTensor *in[] = {x};
  for (int64_t i = 0; i < n; i++) x->data.f64[i] = i % 7 == 0 ? NAN : (double)(i * 7919 % 1009);
  for (int descending = 0; descending < 2; descending++) {
    IrAttr attr = {.reverse = descending};
    ck_assert_ptr_null(ir_eval_op(arena, IR_ARGSORT, &attr, in, 1, &order));
    for (int64_t i = 1; i < n; i++) {
      int64_t p = order->data.i64[i - 1], q = order->data.i64[i];
      double a = x->data.f64[p], b = x->data.f64[q];
      bool tied = a == b || (isnan(a) && isnan(b));
      ck_assert(tied ? p < q : isnan(b) || (descending ? a > b : a < b));
    }
  }
}
END_TEST

/* The known answers that come with the definition of the generator. */
START_TEST(random_bits) {
  static const uint64_t keys[] = {0, UINT64_MAX, 0x13198a2e03707344};
  static const uint64_t counters[] = {0, UINT64_MAX, 0x243f6a8885a308d3};
  static const uint64_t answers[] = {0x6b20015999ba4efe, 0x1cb996fcbb002be7, 0xc4923a9c483df7a0};
  int64_t n = 3;
  IrTensor *key = ir_tensor_new(arena, ir_type(I, 1, &n)), *bits;
  IrTensor *counter = ir_tensor_new(arena, ir_type(I, 1, &n));
  memcpy(key->data.i64, keys, sizeof keys);
  memcpy(counter->data.i64, counters, sizeof counters);
  const IrTensor *in[] = {key, counter};
  ck_assert_ptr_null(ir_eval_op(arena, IR_THREEFRY, &(IrAttr){0}, in, 2, &bits));
  ck_assert_mem_eq(bits->data.i64, answers, sizeof answers);
  in[1] = ir_tensor_i64(arena, 0);
  ck_assert_ptr_null(ir_eval_op(arena, IR_THREEFRY, &(IrAttr){0}, in, 2, &bits));
  ck_assert_mem_eq(bits->data.i64, answers, sizeof *answers);
}
END_TEST

/* A size of 1 that the type leaves open does not broadcast. */
START_TEST(open_one) {
  IrBuilder *b = begin_plain("open");
  int64_t open = IR_DYNAMIC;
  IrType t = ir_type(F, 1, &open);
  IrValue *in[] = {ir_param(b, t, NULL), ir_param(b, t, NULL)};
  IrValue *out = ir_binary(b, IR_ADD, in[0], in[1]);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  const IrTensor *args[] = {reals(1), reals(3)};
  IrTensor *result;
  const char *error = run_twice(f, args, &result);
  ck_assert_ptr_nonnull(error);
  ck_assert_ptr_nonnull(strstr(error, "agree"));
}
END_TEST

START_TEST(bad_arguments) {
  IrBuilder *b = begin_plain("arguments");
  int64_t three = 3;
  IrValue *x = ir_param(b, ir_type(F, 1, &three), NULL);
  IrValue *out = ir_unary(b, IR_NEG, x);
  IrFunction *f = ir_function_end(b, &out, NULL, 1);
  const IrTensor *args[] = {reals(2)};
  IrTensor *result;
  ck_assert_ptr_nonnull(run_twice(f, args, &result));
  args[0] = ir_tensor_new(arena, ir_type(I, 1, &three));
  ck_assert_ptr_nonnull(run_twice(f, args, &result));
  args[0] = ir_tensor_f64(arena, 1);
  ck_assert_ptr_nonnull(run_twice(f, args, &result));
  args[0] = reals(3);
  ck_assert_ptr_null(run_twice(f, args, &result));
}
END_TEST

START_TEST(regions_are_not_ops) {
  IrTensor *x = ir_tensor_f64(arena, 1), *result;
  const IrTensor *in[] = {x, x, x};
  static const IrOp ops[] = {IR_CALL, IR_IF, IR_LOOP, IR_CONST};
  for (int k = 0; k < 4; k++)
    ck_assert_ptr_nonnull(ir_eval_op(arena, ops[k], &(IrAttr){0}, in, 1, &result));
  ck_assert_ptr_nonnull(ir_eval_op(arena, IR_ADD, &(IrAttr){0}, in, 1, &result));
  ck_assert_ptr_nonnull(ir_eval_op(arena, IR_CONCAT, &(IrAttr){0}, in, 0, &result));
}
END_TEST

/* Ops with bodies, and one whose numbers need all 64 bits, have tests of their own. */
START_TEST(every_op) {
  for (int k = 0; k < IR_OP_COUNT; k++) {
    bool found = k == IR_CONST || k == IR_CALL || k == IR_IF || k == IR_LOOP || k == IR_THREEFRY;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
      found = found || (cases[i].op == (IrOp)k && !cases[i].error);
    ck_assert_msg(found, "%s is not tested", ir_op_name((IrOp)k));
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("evaluation of ops");
  TCase *t = tcase_create("ops");
  tcase_add_checked_fixture(t, eval_set_up, eval_tear_down);
  tcase_add_loop_test(t, op, 0, (int)(sizeof cases / sizeof *cases));
  tcase_add_test(t, long_sums);
  tcase_add_test(t, large_matrices);
  tcase_add_test(t, long_sort);
  tcase_add_test(t, random_bits);
  tcase_add_test(t, open_one);
  tcase_add_test(t, bad_arguments);
  tcase_add_test(t, regions_are_not_ops);
  tcase_add_test(t, every_op);
  suite_add_tcase(s, t);
  return run_suite(s);
}
