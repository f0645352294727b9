import Ledger

extension PhotographRecord {
    /// The keys that scripts rely on, in the order of the product page.
    var members: [(key: String, value: JSONText)] {
        [
            ("id", .integer(id)), ("status", .text(status.rawValue)), ("source", .text(source)),
            ("output", .optional(output)), ("reason", .optional(reason)), ("attempts", .integer(Int64(attempts))),
            ("model", .optional(model)), ("preset", .optional(preset)), ("noise_before", .optional(noiseBefore)),
            ("noise_after", .optional(noiseAfter)), ("seconds", .optional(seconds)),
            ("megapixels", .optional(megapixels)), ("camera", .optional(camera)), ("iso", .optional(iso)),
            ("finished_at", .optional(finishedAt)),
        ]
    }

    /// The same as fields of a CSV line; empty where nothing is known.
    var fields: [String] {
        members.map { member in
            switch member.value {
            case .null: ""
            case .text(let text): text
            case let value: value.line
            }
        }
    }
}
