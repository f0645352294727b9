/// The result of a fused operation: its backward pass runs `graph`, the same function in single operations, once more.
///
/// Nothing but inputs and output is kept for training, which costs a forward pass and saves most of the memory
/// (spec F.2).
func recomputed(
    _ tensor: Tensor, from inputs: [Variable], operation: StaticString = #function,
    _ graph: @escaping ([Variable]) -> Variable
) -> Variable {
    recorded(tensor, from: inputs, operation: operation) { g, gradients in
        let tape = Tape()
        let leaves = inputs.map { $0.wantsGradient ? tape.variable($0.tensor) : Variable($0.tensor) }
        let found = tape.backward(from: graph(leaves), seed: g)
        for (input, leaf) in zip(inputs, leaves) {
            if let gradient = found[leaf] { gradients.add(gradient, to: input) }
        }
    }
}
