/* stan2onnx-run sample: a posterior's draws and their summary. */
#include "runtime/sample.h"

#include "runtime/command.h"
#include "runtime/initial.h"
#include "runtime/progress.h"
#include "runtime/summary.h"
#include "runtime/values.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TABLE_ROWS = 50, EXIT_INTERRUPTED = 130 };
enum { USUAL_DEPTH = 10 };
static const double USUAL_TIME = 6.283185307179586; /* 2 pi */

/* ---- preparation ---- */

static Stan2onnxMetric metric_kind(const char *name) {
  return !name || strcmp(name, "diag") == 0 ? STAN2ONNX_METRIC_DIAG
         : strcmp(name, "dense") == 0       ? STAN2ONNX_METRIC_DENSE
                                            : STAN2ONNX_METRIC_UNIT;
}

static Stan2onnxEngine engine_kind(const char *name) {
  return name && strcmp(name, "static") == 0 ? STAN2ONNX_ENGINE_STATIC : STAN2ONNX_ENGINE_NUTS;
}

/* Of an engine there must be no options of another one. */
static const char *check_engine(SampleRun *r) {
  SampleOptions *o = &r->options;
  const SamplerEngine *has = r->sampler.engine;
  if (o->engine && strcmp(has->name, o->engine) != 0)
    return arena_printf(r->arena, "%s has the engine %s: convert the program with --engine %s",
                        r->source.path, has->name, o->engine);
  if (o->int_time && !has->has_time) return "--int-time is of --engine static";
  if (o->max_depth && has->has_time) return "--max-treedepth is of --engine nuts";
  if (!o->int_time) o->int_time = USUAL_TIME;
  if (!o->max_depth) o->max_depth = USUAL_DEPTH;
  return NULL;
}

static const char *check_metric(SampleRun *r) {
  const char *has = sampler_metric(&r->sampler), *asked = r->options.metric;
  if (asked && strcmp(has, asked) != 0)
    return arena_printf(r->arena,
                        "%s has a %s metric, not a %s one: convert the program with "
                        "--metric %s",
                        r->source.path, has, asked, asked);
  r->metric = has;
  return NULL;
}

static bool has_quantities(const OrtModel *m) {
  json_t *description = model_description(m);
  bool has = json_array_size(json_object_get(description, "generated_quantities")) > 0;
  json_decref(description);
  return has;
}

/* The program's generated quantities; where they cannot be had, the run goes on without. */
static const char *open_quantities(SampleRun *r) {
  if (!r->source.is_program || !has_quantities(r->model)) return NULL;
  const char *warnings = NULL;
  const char *error =
      source_load(&r->source, r->arena, r->ort, (SourceModel){.entry = STAN2ONNX_GENERATE},
                  &r->generator, &warnings);
  if (warnings && !r->options.quiet) fprintf(stderr, "%s\n", warnings);
  if (error) {
    complain(0, "generated quantities are left out:\n%s", error);
    return NULL;
  }
  r->generates = true;
  return quantities_open(r->arena, r->generator, NULL, r->sampler.layout.names,
                         r->sampler.layout.count, &r->quantities);
}

static const char *open_sources(SampleRun *r) {
  const SampleOptions *o = &r->options;
  bool has_parameters = true;
  const char *error = open_runtime(r->arena, o->ort, &r->ort);
  if (!error)
    error = source_open(r->arena, o->model, o->data_path, o->include_paths, o->reproducible,
                        &r->source);
  if (!error && !r->source.is_program && o->data_path)
    error = read_json_object(r->arena, o->data_path, &r->data);
  if (!error && r->source.is_program)
    error = source_has_parameters(&r->source, r->arena, &has_parameters);
  r->fixed = !has_parameters;
  return error;
}

static const char *start_chains(SampleRun *r) {
  const SampleOptions *o = &r->options;
  Initial initial;
  const char *error = initial_read(r->arena, o->init, &initial);
  if (error) return error;
  error = sampler_open(r->arena, r->model, r->data, &r->sampler);
  if (!error) error = check_metric(r);
  if (!error) error = check_engine(r);
  if (error) return error;
  r->sampler.settings = (SamplerSettings){.delta = o->delta,
                                          .max_depth = (double)o->max_depth,
                                          .int_time = o->int_time,
                                          .step_size = o->step_size,
                                          .radius = initial.radius,
                                          .warmup = o->warmup,
                                          .samples = o->samples};
  error = initial_points(r->arena, &initial, r->ort, &r->source, o->seed,
                         sampler_dimension(&r->sampler), o->chains);
  if (!error)
    error = sampler_start(&r->sampler, r->arena, o->seed, o->chains,
                          initial.points.data ? &initial.points : NULL, &r->states);
  return error;
}

static const char *open_sampler(SampleRun *r) {
  const SampleOptions *o = &r->options;
  SourceModel wanted = {STAN2ONNX_SAMPLE, metric_kind(o->metric), engine_kind(o->engine)};
  const char *warnings = NULL;
  const char *error = source_load(&r->source, r->arena, r->ort, wanted, &r->model, &warnings);
  if (warnings && !o->quiet) fprintf(stderr, "%s\n", warnings);
  if (!error) error = start_chains(r);
  if (error) return error;
  r->layout = r->sampler.layout;
  return open_quantities(r);
}

/* A program without parameters: its rows have, as CmdStan's, two statistics that say nothing. */
static const char *open_fixed(SampleRun *r) {
  static const Column statistics[] = {{.name = "lp__"}, {.name = "accept_stat__"}};
  Columns own = {(Column *)statistics, 2, 2};
  r->layout = layout_with(r->arena, (RowLayout){0}, &own);
  r->metric = "unit";
  r->options.warmup = 0;
  r->generates = true;
  const char *warnings = NULL;
  const char *error =
      source_load(&r->source, r->arena, r->ort, (SourceModel){.entry = STAN2ONNX_GENERATE},
                  &r->generator, &warnings);
  if (warnings && !r->options.quiet) fprintf(stderr, "%s\n", warnings);
  if (error) return error;
  return quantities_open(r->arena, r->generator, NULL, r->layout.names, r->layout.count,
                         &r->quantities);
}

static CsvSettings file_settings(const SampleRun *r, int64_t chain) {
  const SampleOptions *o = &r->options;
  return (CsvSettings){.method = r->fixed ? CSV_FIXED_PARAM : CSV_SAMPLE,
                       .model = r->source.name,
                       .data_path = o->data_path,
                       .init = o->init,
                       .metric = r->metric,
                       .engine = r->fixed ? NULL : r->sampler.engine->name,
                       .seed = o->seed,
                       .chain = chain,
                       .warmup = o->warmup,
                       .samples = o->samples,
                       .thin = o->thin,
                       .max_depth = o->max_depth,
                       .int_time = o->int_time,
                       .threads = 1,
                       .digits = o->digits,
                       .delta = o->delta,
                       .step_size = o->step_size,
                       .save_warmup = o->save_warmup};
}

static const char *open_file(SampleRun *r, int64_t k) {
  Chain *c = &r->chains[k];
  const char *path =
      arena_printf(r->arena, "%s/%s-%lld.csv", r->options.output, r->source.name, (long long)k + 1);
  CsvSettings settings = file_settings(r, k + 1);
  csv_begin(&c->file, path, &settings, r->layout.names, r->layout.integers, r->layout.count);
  c->recorder.file = &c->file;
  return c->file.error
             ? arena_printf(r->arena, "cannot write %s: %s", path, strerror(c->file.error))
             : NULL;
}

static const char *open_recorders(SampleRun *r) {
  const SampleOptions *o = &r->options;
  size_t own = r->layout.count;
  if (r->generates) r->layout = layout_with(r->arena, r->layout, &r->quantities.columns);
  size_t kept = (size_t)((o->samples + o->thin - 1) / o->thin), count = (size_t)o->chains;
  size_t room = draws_room(r->layout.count, count);
  if (room < kept && !o->quiet)
    complain(0, "memory has room for %zu of %zu draws of each chain: the summary is of those", room,
             kept);
  bool summed =
      draws_new(&r->draws, r->layout.names, r->layout.count, count, room < kept ? room : kept);
  if (!summed && !o->quiet) complain(0, "there is no memory for a summary");
  if (!summed && !o->output) return "there is neither memory nor a folder for the draws";
  r->chains = ARENA_ARRAY(r->arena, Chain, count);
  const char *error = o->output ? make_folder(r->arena, o->output) : NULL;
  for (size_t k = 0; k < count && !error; k++) {
    Recorder *recorder = &r->chains[k].recorder;
    *recorder = recorder_new(r->arena, o->seed, k, own, 0, r->generates ? &r->quantities : NULL);
    recorder->draws = summed ? &r->draws : NULL;
    if (o->output) error = open_file(r, (int64_t)k);
  }
  return error;
}

/* ---- results ---- */

static const char *trouble_text(int64_t trouble) {
  if (trouble == CHAIN_NO_START)
    return "no point was found where the log density and its gradient are finite: give one with "
           "--init FILE, or start closer to 0 with --init 0.5";
  if (trouble == CHAIN_NO_STEP)
    return "no step size suits: the posterior may be improper, or its gradient wrong";
  return "the model gave it up";
}

static void close_files(SampleRun *r) {
  const SampleOptions *o = &r->options;
  int64_t whole = (o->samples + o->thin - 1) / o->thin;
  for (int64_t k = 0; k < o->chains; k++) {
    Chain *c = &r->chains[k];
    int64_t kept = (int64_t)c->recorder.kept;
    csv_end(&c->file, c->seconds[0], c->seconds[1], kept < whole ? kept * o->thin : -1);
    if (o->output && c->trouble != CHAIN_FINE) unlink(c->file.path);
  }
}

/* Chains that failed leave the table, and where others have draws those that have none yet. How
 * many are fine, and of these how many stay. */
static int64_t leave_out(SampleRun *r, int64_t *stay) {
  bool some = r->draws.values && draws_most(&r->draws) > 0;
  int64_t fine = 0, in_warmup = 0;
  size_t place = 0;
  for (int64_t k = 0; k < r->options.chains; k++) {
    const Chain *c = &r->chains[k];
    bool failed = c->trouble != CHAIN_FINE, late = !failed && some && !c->recorder.kept;
    if (failed)
      complain(0, "chain %lld is left out: %s", (long long)k + 1, trouble_text(c->trouble));
    fine += !failed;
    in_warmup += late;
    if (!failed && !late)
      place++;
    else if (r->draws.values)
      draws_drop(&r->draws, place);
  }
  if (in_warmup)
    complain(0, "chains without a draw yet, which the summary leaves out: %lld",
             (long long)in_warmup);
  *stay = fine - in_warmup;
  return fine;
}

/* True when files could not be written. */
static bool report_files(const SampleRun *r) {
  bool failed = false;
  for (int64_t k = 0; r->options.output && k < r->options.chains; k++) {
    const Chain *c = &r->chains[k];
    if (!c->file.error || c->trouble != CHAIN_FINE) continue;
    complain(0, "cannot write %s: %s; what was written before is whole", c->file.path,
             strerror(c->file.error));
    failed = true;
  }
  return failed;
}

static void print_heading(const SampleRun *r, Text *out, int64_t chains) {
  const SampleOptions *o = &r->options;
  char duration[32];
  print_duration(duration, r->seconds);
  text_printf(out, "%s: %lld chain%s of %zu draws after %lld of warmup, %s", r->source.name,
              (long long)chains, chains == 1 ? "" : "s", draws_common(&r->draws),
              (long long)o->warmup, duration);
  if (o->output) text_printf(out, "; draws in %s/%s-*.csv", o->output, r->source.name);
  text_add(out, "\n\n");
}

static int print_results(SampleRun *r, int64_t chains) {
  const SampleOptions *o = &r->options;
  Text out = text_new(r->arena);
  Summary summary;
  if (o->quiet || !r->draws.values) return EXIT_DONE;
  if (draws_common(&r->draws) == 0) return complain(EXIT_DONE, "there are no draws to summarise");
  summarise(r->arena, &r->draws, o->max_depth, o->delta,
            o->threads ? (int)o->threads : core_count(), &summary);
  if (o->json) {
    print_summary_json(&out, &summary);
  } else {
    print_heading(r, &out, chains);
    print_summary(&out, &summary, TABLE_ROWS);
  }
  return print_text(&out);
}

static int results(SampleRun *r, const char *error) {
  if (error) complain(0, "%s", error);
  close_files(r);
  int64_t stay, fine = leave_out(r, &stay);
  bool lost = report_files(r);
  if (!fine) return complain(EXIT_FAILED, "no chain is left");
  int status = print_results(r, stay);
  if (error || lost) return EXIT_FAILED;
  return was_interrupted() ? EXIT_INTERRUPTED : status;
}

static int run(SampleRun *r) {
  const char *error = open_sources(r);
  if (!error && r->fixed) error = open_fixed(r);
  if (!error && !r->fixed) error = open_sampler(r);
  if (!error) error = open_recorders(r);
  if (error) return complain(EXIT_FAILED, "%s", error);
  return results(r, r->fixed ? run_fixed(r) : run_workers(r));
}

int sample_command(Arena *a, int argc, char **argv) {
  SampleRun r = {.arena = a};
  const char *error = sample_options(a, argc, argv, &r.options);
  if (error) return complain(EXIT_USAGE, "%s (see sample --help)", error);
  if (r.options.help) return print_sample_help(stdout), EXIT_DONE;
  keep_memory();
  int status = run(&r);
  draws_free(&r.draws);
  if (r.data) json_decref(r.data);
  ort_unload(r.generator);
  ort_unload(r.model);
  ort_close(r.ort);
  return status;
}
