/* Names in scope: a variable and any number of functions for each. */
#ifndef STAN2ONNX_FRONTEND_SCOPE_H
#define STAN2ONNX_FRONTEND_SCOPE_H

#include "frontend/ast.h"

typedef struct Symbol Symbol;
struct Symbol {
  const char *name;
  Symbol *next;      /* with the same hash */
  VarDecl *variable; /* the one in scope, or NULL */
  size_t function_count, function_capacity;
  FunDef **functions; /* overloads, in order of declaration; those with a definition are replaced by
                         it */
};

typedef struct Scope Scope;

Scope *scope_new(Arena *arena);
/* The symbol of `name` if it was ever declared, or NULL. It may be out of scope by now. */
Symbol *scope_find(const Scope *s, const char *name);
/* Brings a variable into scope; it hides one of the same name. */
void scope_declare(Scope *s, VarDecl *v);
/* Adds a function. Functions never go out of scope. */
Symbol *scope_add_function(Scope *s, FunDef *f);
/* Where the scope stands, and a return to there: what was declared since is out of scope. */
size_t scope_mark(const Scope *s);
void scope_leave(Scope *s, size_t mark);
/* All symbols in the order of their first declaration. */
size_t scope_symbol_count(const Scope *s);
const Symbol *scope_symbol(const Scope *s, size_t k);

#endif
