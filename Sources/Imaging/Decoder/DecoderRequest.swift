/// What a decoder process is told on its command line.
struct DecoderRequest {
    /// The process that waits for the answer.
    let parent: Int32
    /// Bytes of memory beyond those of the program itself.
    let memory: Int
    /// Of processor time.
    let seconds: Int
    let limits: DecodingLimits
    let confinement: DecoderProcess.Confinement

    /// Memory that the libraries take beside pixels: tables, strips and whole compressed rows.
    private static let overhead = 256 << 20
    /// Samples that one byte of a file can stand for: 1032 in deflate, which packs tightest.
    private static let expansion = 1024
    /// Bytes at the peak for each byte of samples: LibRaw's mosaic, its four-channel image and what was developed.
    private static let copies = 4

    /// Seconds that no photograph needs, shorter than the patience of whoever watches over this program.
    private static let longest = 480

    /// Memory and time follow the size of the file: 60 s, and 2 s for each million bytes, which stand for a million
    /// pixels or more.
    init(parent: Int32, file count: Int, limits: DecodingLimits, confinement: DecoderProcess.Confinement) {
        self.parent = parent
        self.limits = limits
        self.confinement = confinement
        let (samples, overflow) = count.multipliedReportingOverflow(by: 8 * Self.expansion)
        memory = Self.overhead + count + Self.copies * min(overflow ? .max : samples, limits.sampleBytes)
        seconds = min(Self.longest, 60 + count / 500_000)
    }

    var arguments: [String] {
        [
            "\(parent)", "\(memory)", "\(seconds)", "\(limits.megapixels)", "\(limits.side)", "\(limits.sampleBytes)",
            confinement.rawValue,
        ]
    }

    /// Nil for anything but what `arguments` holds.
    init?(_ arguments: some Collection<String>) {
        let words = Array(arguments)
        guard words.count == 7, let parent = Int32(words[0]), let memory = Int(words[1]), let seconds = Int(words[2]),
            let megapixels = Double(words[3]), let side = Int(words[4]), let sampleBytes = Int(words[5]),
            let confinement = DecoderProcess.Confinement(rawValue: words[6]), memory > 0, seconds > 0
        else { return nil }
        self.parent = parent
        self.memory = memory
        self.seconds = seconds
        self.confinement = confinement
        limits = DecodingLimits(megapixels: megapixels, side: side, sampleBytes: sampleBytes)
    }
}
