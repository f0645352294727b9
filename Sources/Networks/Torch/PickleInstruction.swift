/// The instructions of a pickle that checkpoints need, by their codes (Python's pickletools lists all).
enum PickleInstruction: UInt8 {
    case proto = 0x80, frame = 0x95, mark = 0x28, stop = 0x2E
    case null = 0x4E, `true` = 0x88, `false` = 0x89
    case int1 = 0x4B, int2 = 0x4D, int4 = 0x4A, long1 = 0x8A, float = 0x47
    case text1 = 0x8C, text4 = 0x58, text8 = 0x8D, string1 = 0x55, string4 = 0x54
    case bytes1 = 0x43, bytes4 = 0x42, bytes8 = 0x8E
    case emptyTuple = 0x29, tuple1 = 0x85, tuple2 = 0x86, tuple3 = 0x87, tuple = 0x74
    case emptyList = 0x5D, emptyDictionary = 0x7D, emptySet = 0x8F
    case append = 0x61, appends = 0x65, addItems = 0x90, setItem = 0x73, setItems = 0x75
    case get1 = 0x68, get4 = 0x6A, put1 = 0x71, put4 = 0x72, memoize = 0x94
    case global = 0x63, stackGlobal = 0x93, persistentID = 0x51, reduce = 0x52, newObject = 0x81, build = 0x62
}
