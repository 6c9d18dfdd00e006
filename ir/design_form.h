/* Values as linear forms with constant factors. */
#ifndef STAN2ONNX_IR_DESIGN_FORM_H
#define STAN2ONNX_IR_DESIGN_FORM_H

#include "ir/builder.h"

/* What a table contributes to the elements of a form: element n has factor[n] times element
 * place[n] of the table. */
typedef struct {
  IrValue *table;       /* in the function that is built; NULL: the number 1 */
  const int64_t *place; /* NULL: `at` for all elements */
  int64_t at;
  const double *factor;
} DesignTerm;

/* The sum of the terms, of `count` elements. */
typedef struct {
  DesignTerm *terms;
  int term_count, capacity;
  int64_t count;
} DesignForm;

/* A function whose values are looked at while it is copied. */
typedef struct {
  IrBuilder *b;           /* what it is copied to */
  IrValue *const *map;    /* the copies, by value id */
  const IrTensor **known; /* by value id, what has been found to be constant */
  int64_t leaf, largest;  /* elements up to which a value is always a table, and of any table */
} FormSource;

FormSource form_source(IrBuilder *b, const IrFunction *f, IrValue *const *map);
/* v's value where it is computed from constants alone, even if it was too large to become one; else
 * NULL. */
const IrTensor *form_known(FormSource *s, const IrValue *v);
/* Writes v, of real numbers, as a form over tables of at most s->largest elements. False where that
 * cannot be, would take too much room, or has a factor that is not finite. */
bool form_of(FormSource *s, const IrValue *v, DesignForm *out);

#endif
