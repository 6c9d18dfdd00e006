/* Ordinary differential equations: the program's right-hand side as a function of the IR, and calls
 * of solvers that the library has in Stan (stdlib_map/solvers/).
 *
 * Systems of equations f(x) = 0 are taken for states in which x' = f(x) rests: their functions have
 * no time, and the inputs for times are constants without meaning. */
#ifndef STAN2ONNX_LOWER_ODE_H
#define STAN2ONNX_LOWER_ODE_H

#include "lower/trace.h"

/* What a solver is given, in order, before the arguments of the right-hand side: initial state [N],
 * initial time, times of output [T], relative and absolute tolerance, steps at most. */
enum { ODE_STATE, ODE_START, ODE_TIMES, ODE_RELATIVE, ODE_ABSOLUTE, ODE_STEPS, ODE_FIXED };

/* One tensor that a solver is given. */
typedef struct {
  Tr value;
  bool sensitive; /* the solution is differentiated with respect to it */
  bool constant;  /* it is no parameter of the functions made here */
} OdeInput;

/* The functions of the library that a method consists of. */
typedef struct {
  const char *start, *trip, *at; /* at: NULL for roots */
  bool implicit;                 /* it needs the Jacobian of the rates */
} OdeMethod;

/* A call of a solver. The functions have the inputs that are not constant as parameters. */
typedef struct {
  Tracer *t;
  Arena *arena;
  const OdeMethod *method;
  const FunDef *f; /* the right-hand side: of time, unless at_rest, state and `rest` */
  bool at_rest;    /* a root of it is wanted */
  SVal *rest;
  int rest_count;
  OdeInput *inputs; /* ODE_FIXED, then the tensors of rest */
  int input_count;
  bool differentiated;  /* some input is sensitive */
  IrFunction *rates;    /* (time, state [N], rest...) -> rates [N] */
  IrFunction *system;   /* (time, z [N, M], rest...) -> rates of z: of states, of sensitivities */
  IrFunction *jacobian; /* (the same) -> d rates / d state, [N, N]; NULL if not needed */
} Ode;

/* What ode_system, ode_systems and ode_jacobian of the library stand for. */
typedef struct OdeSystem {
  IrFunction *system, *jacobian;
  int rest_count;
  IrValue **rest;
} OdeSystem;

/* Whether a function of Stan's library solves (differential) equations; and a call of it. */
bool is_ode_solver(const char *name);
SVal trace_ode(Tracer *t, const Expr *e);
/* Whether one integrates a function; and a call of it (quadrature.c). */
bool is_quadrature(const char *name);
SVal trace_quadrature(Tracer *t, const Expr *e);
/* A call of one of the functions of t->system, by name; false where it is none. */
bool trace_system_call(Tracer *t, const char *name, SVal *args, const StanType *type, SVal *result);

/* ---- ode_system.c ---- */

/* Makes the functions of o. */
void ode_trace_system(Ode *o);
/* Parameters of b like the inputs from `first` on, in order; constants where they are that. */
void ode_params(const Ode *o, IrBuilder *b, int first, IrValue **values);
/* Of the values of all inputs, those of rest that are parameters, as the functions above take
 * them. */
int ode_rest(const Ode *o, IrValue *const *values, IrValue **rest);
/* The number of elements of v. */
IrValue *ode_element_count(IrBuilder *b, IrValue *v);
/* z at the start. */
IrValue *ode_initial(const Ode *o, IrBuilder *b, IrValue *const *values);

/* ---- ode_solver.c ---- */

/* (inputs) -> states [T, N], sensitivities [T, N, M - 1], whether Stan does not throw. */
IrFunction *ode_solver(Ode *o);
/* (inputs) -> a root [N], the inverse of the Jacobian there [N, N], whether Stan does not throw. */
IrFunction *root_solver(Ode *o);

#endif
