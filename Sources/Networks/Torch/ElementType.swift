/// The types of elements that checkpoints hold, and how each becomes a 32-bit float.
enum ElementType: String, Sendable, Hashable, CaseIterable {
    case float32, float16, bfloat16, float64, int64, int32, int16, int8, uint8, bool

    /// Torch's class of storages, in the module `torch`.
    init?(storageClass: String) {
        switch storageClass {
        case "FloatStorage": self = .float32
        case "HalfStorage": self = .float16
        case "BFloat16Storage": self = .bfloat16
        case "DoubleStorage": self = .float64
        case "LongStorage": self = .int64
        case "IntStorage": self = .int32
        case "ShortStorage": self = .int16
        case "CharStorage": self = .int8
        case "ByteStorage": self = .uint8
        case "BoolStorage": self = .bool
        default: return nil
        }
    }

    /// The names of safetensors.
    init?(safetensors name: String) {
        switch name {
        case "F32": self = .float32
        case "F16": self = .float16
        case "BF16": self = .bfloat16
        case "F64": self = .float64
        case "I64": self = .int64
        case "I32": self = .int32
        case "I16": self = .int16
        case "I8": self = .int8
        case "U8": self = .uint8
        case "BOOL": self = .bool
        default: return nil
        }
    }

    /// Bytes of one element.
    var size: Int {
        switch self {
        case .int8, .uint8, .bool: 1
        case .float16, .bfloat16, .int16: 2
        case .float32, .int32: 4
        case .float64, .int64: 8
        }
    }

    /// Writes the elements whose indices `places` yields, each as the nearest float.
    ///
    /// - Precondition: every index lies within `bytes`, and there are as many as `target` has room for.
    func convert(
        _ bytes: UnsafeRawBufferPointer, at places: some Sequence<Int>, to target: UnsafeMutablePointer<Float>
    ) {
        func write<Element: BitwiseCopyable>(_ type: Element.Type, _ float: (Element) -> Float) {
            for (position, place) in places.enumerated() {
                target[position] = float(bytes.loadUnaligned(fromByteOffset: place * size, as: Element.self))
            }
        }
        switch self {
        case .float32: write(Float.self) { $0 }
        case .float16: write(UInt16.self) { Float(Float16(bitPattern: $0)) }
        case .bfloat16: write(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
        case .float64: write(Double.self) { Float($0) }
        case .int64: write(Int64.self) { Float($0) }
        case .int32: write(Int32.self) { Float($0) }
        case .int16: write(Int16.self) { Float($0) }
        case .int8: write(Int8.self) { Float($0) }
        case .uint8: write(UInt8.self) { Float($0) }
        case .bool: write(UInt8.self) { $0 == 0 ? 0 : 1 }
        }
    }
}
