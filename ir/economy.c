/* The pass that rewrites nodes by cheaper ones. */
#include "ir/economy.h"

IrFunction *ir_economise(IrFunction *f) {
  static RewriteRule *const rules[] = {join_logs,    contract,      group_sums, spread_index,
                                       join_selects, add_multiples, NULL};
  return f->module->options.no_economy ? f : rewrite_function(f, rules);
}
