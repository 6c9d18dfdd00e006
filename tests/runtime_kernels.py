"""What old releases of ONNX Runtime cannot run, found in a model without them.

Each operator has kernels for some types only, and the table below has those of the CPU kernels of 1.20 and 1.21, each tried in these
releases, with the optimiser off, by a model of one node. Types that are not in it are missing, or not tried.

The optimisers of old releases also turn models that they could run into such that they cannot. Forms known for that are found here,
too.
"""
import onnx
from onnx import TensorProto, inliner

# Operator, then for each type variable of its schema the types of 1.20. Any type: *, of those that we use.
KERNELS_1_20 = """
Abs T=f64,i64,u32,u64          Add T=f64,i64                  And T=bool T1=bool             BitShift T=u32,u64
BitwiseAnd T=i64,u32,u64       BitwiseNot T=i64,u32,u64       BitwiseOr T=i64,u32,u64        BitwiseXor T=i64,u32,u64
Cast T1=* T2=*                 Ceil T=f64                     Clip T=f64,i64,u32,u64         Compress T=* T1=bool
Concat T=*                     Constant T=*                   ConstantOfShape T1=i64 T2=*    CumSum T=f64,i64 T2=i64
Div T=f64,i64                  Einsum T=f64,i64               Equal T=f64,i64,bool T1=bool   Exp T=f64
Expand T=*                     Floor T=f64                    Gather T=* Tind=i64            GatherElements T=* Tind=i64
GatherND T=*                   Gemm T=f64                     Greater T=f64,i64 T1=bool      GreaterOrEqual T=f64,i64 T1=bool
Identity V=*                   If V=* B=bool                  IsInf T1=f64 T2=bool           IsNaN T1=f64 T2=bool
Less T=f64,i64 T1=bool         LessOrEqual T=f64,i64 T1=bool  Log T=f64                      LogSoftmax T=f64
Loop V=* I=i64 B=bool          MatMul T=f64,i64,u32,u64       Max T=f64,i64,u32,u64          Min T=f64,i64,u32,u64
Mod T=f64,i64,u32,u64          Mul T=f64,i64                  Neg T=f64,i64                  NonZero T=i64,bool
Not T=bool                     Or T=bool T1=bool              Pad T=* Tind=i64               Pow T=f64,i64 T1=f64,i64
Range T=f64,i64                Reciprocal T=f64               ReduceL1 T=f64,i64             ReduceL2 T=f64,i64
ReduceLogSum T=f64,i64         ReduceLogSumExp T=f64,i64      ReduceMax T=f64,i64,bool       ReduceMean T=f64,i64
ReduceMin T=f64,i64,bool       ReduceProd T=f64,i64           ReduceSum T=f64,i64            ReduceSumSquare T=f64,i64
Reshape T=*                    Round T=f64                    Scan V=*                       ScatterElements T=* Tind=i64
ScatterND T=*                  Shape T=* T1=i64               Sigmoid T=f64                  Sign T=f64,i64,u32,u64
Sin T=f64                      Size T=* T1=i64                Slice T=* Tind=i64             Softmax T=f64
Split T=*                      Sqrt T=f64                     Squeeze T=*                    Sub T=f64,i64
Sum T=f64                      Tanh T=f64                     Tile T=* T1=i64                TopK T=f64,i64 I=i64
Transpose T=*                  Trilu T=f64,i64,bool           Unsqueeze T=*                  Where B=bool T=f64,i64
Xor T=bool T1=bool
"""
# What 1.21 has besides: arithmetic of the words that random bits are made of.
KERNELS_1_21 = """
Add T=u32,u64    Sub T=u32,u64    Mul T=u32,u64    Div T=u32,u64    Equal T=u32,u64
Less T=u32,u64   LessOrEqual T=u32,u64             Greater T=u32,u64                     GreaterOrEqual T=u32,u64
"""
TYPES = {TensorProto.DOUBLE: 'f64', TensorProto.INT64: 'i64', TensorProto.BOOL: 'bool', TensorProto.UINT32: 'u32', TensorProto.UINT64: 'u64'}


def table_of(*texts):
    """the types, by operator and type variable"""
    table = {}
    for word in ' '.join(texts).split():
        if '=' not in word:
            row = table.setdefault(word, {})
            continue
        variable, types = word.split('=')
        row.setdefault(variable, set()).update(TYPES.values() if types == '*' else types.split(','))
    return table


KERNELS = {'1.20': table_of(KERNELS_1_20), '1.21': table_of(KERNELS_1_20, KERNELS_1_21)}


def bodies(node):
    return [a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]


def nodes_of(graph):
    """all nodes of a graph or function, those of bodies included"""
    for node in graph.node:
        yield node
        for body in bodies(node): yield from nodes_of(body)


def parameters(formal, names):
    """the formal parameter of each operand; the last one may be variadic"""
    return [(formal[min(k, len(formal) - 1)], name) for k, name in enumerate(names) if name]


def missing_in(kernels, graph, outer):
    types = dict(outer)
    for v in (*graph.input, *graph.value_info, *graph.output): types[v.name] = v.type.tensor_type.elem_type
    for v in graph.initializer: types[v.name] = v.data_type
    for node in graph.node:
        schema = onnx.defs.get_schema(node.op_type, 21)
        row = kernels.get(node.op_type)
        if row is None:
            yield 'no kernel of %s' % node.op_type
        else:
            for formal, name in parameters(schema.inputs, node.input) + parameters(schema.outputs, node.output):
                kind = TYPES.get(types.get(name))
                if formal.type_str in row and kind not in row[formal.type_str]: yield 'no kernel of %s for %s' % (node.op_type, kind)
        for body in bodies(node): yield from missing_in(kernels, body, types)


# What the optimiser moves transposes through, but for Max, Min and Sum of one operand, which it leaves where they are.
ELEMENTWISE = set('Abs Add Cast Ceil Div Exp Floor Log Max Min Mul Neg Pow Sign Sin Sqrt Sub Sum Tanh Where'.split())


def spoilt_by_optimisers(graph):
    """Before 1.26 a Transpose and a MatMul become one node, of which there is no double kernel; before 1.28 arithmetic with a constant of no
    elements gives the other operand"""
    empty = {v.name for v in graph.initializer if 0 in v.dims}
    empty |= {n.output[0] for n in graph.node if n.op_type == 'Constant' for a in n.attribute if 0 in a.t.dims}
    turned = set()
    for node in graph.node:
        stays = node.op_type in ('Max', 'Min', 'Sum') and len(node.input) == 1
        moves = node.op_type in ELEMENTWISE and not stays and turned.intersection(node.input)
        if node.op_type == 'Transpose' or moves: turned.update(node.output)
        if node.op_type == 'MatMul' and turned.intersection(node.input): yield 'a MatMul reads a Transpose'
        if node.op_type in ('Add', 'Sub', 'Mul', 'Div') and empty.intersection(node.input): yield '%s with a constant of no elements' % node.op_type
        for body in bodies(node): yield from spoilt_by_optimisers(body)  # which joins nodes of one graph only


def unnamed(model):
    """Before 1.22 the optimiser gives new nodes names made of those that there are, and refuses equal ones"""
    for graph in (model.graph, *model.functions):
        names = [n.name for n in nodes_of(graph)]
        if '' in names or len(set(names)) < len(names): yield 'nodes without a name of their own in %s' % graph.name


def faults(model):
    """why the oldest release that is to run the model does not: 1.21 where it makes random numbers, else 1.20"""
    found = set(unnamed(model))
    flat = onnx.shape_inference.infer_shapes(inliner.inline_local_functions(model), check_type=True, strict_mode=True)
    release = '1.21' if any(n.op_type == 'BitShift' for n in nodes_of(flat.graph)) else '1.20'
    found.update('%s in %s' % (fault, release) for fault in missing_in(KERNELS[release], flat.graph, {}))
    found.update(spoilt_by_optimisers(flat.graph))
    return sorted(found)
