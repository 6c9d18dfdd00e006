/* How many threads share the chains of a run.
 *
 * Where a model is small, what a call takes hardly depends on how many chains there are: most of it
 * is what ONNX Runtime does for each node, some 0.3 us, in which it also goes through some hundred
 * numbers. Eight schools take nearly as long for two chains as for four, so that a second thread
 * would double the work to end little earlier; 64 chains, or many data, are another matter.
 *
 * What decides are sizes, not times: in another batch numbers may round differently, and equal
 * seeds are to give equal draws. */
#include "runtime/command.h"
#include "runtime/sample.h"

/* Numbers, over all chains of a thread, from which on its time grows with them. */
static const double ENOUGH = 500;

/* Elements of a variable of the data that are part of the model; 0 where they are not. */
static double baked_size(const json_t *variable) {
  size_t k;
  double n = 1;
  const json_t *dim;
  json_array_foreach(json_object_get(variable, "dims"), k, dim) n *= json_number_value(dim);
  return n;
}

/* How many numbers a gradient of one chain goes through: parameters and data. */
static double gradient_size(const Sampler *s) {
  size_t inputs, k;
  const json_t *variable;
  ort_inputs(s->model, &inputs);
  double n = (double)sampler_dimension(s);
  if (n < 0) n = 0; /* the data, which then are inputs, decide */
  for (k = 0; k < inputs; k++)
    if (s->inputs[k].data) n += (double)ort_count(&s->inputs[k]);
  json_t *description = model_description(s->model);
  json_array_foreach(json_object_get(description, "data"), k, variable) n += baked_size(variable);
  json_decref(description);
  return n;
}

int64_t shared_threads(const SampleRun *r) {
  const SampleOptions *o = &r->options;
  int64_t most = o->threads ? o->threads : core_count();
  if (most > o->chains) most = o->chains;
  double fit = (double)o->chains * gradient_size(&r->sampler) / ENOUGH;
  if (o->threads || fit >= (double)most) return most;
  return fit < 1 ? 1 : (int64_t)fit;
}
