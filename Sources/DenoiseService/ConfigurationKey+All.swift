import Denoising
import Imaging
import SystemPackage

/// The keys by section.
extension ConfigurationKey {
    static let watch = [
        list("watch.path", "inbox folders", separator: ":", \.watch.paths, path, text: \.string),
        one("watch.recursive", "whether folders inside an inbox are watched too", \.watch.isRecursive, boolean),
        one(
            "watch.mode", "auto, events or poll; auto polls where the file system tells nothing", \.watch.mode, choice,
            text: \.rawValue),
        one(
            "watch.poll_interval", "how often a polled inbox is read", \.watch.pollInterval,
            { try duration($0, minimum: .seconds(1)) }, text: text),
        one(
            "watch.stability_delay", "how long a file must stand still; 5s, or 60s on network shares, if not set",
            \.watch.stabilityDelay, { try duration($0) }, text: text),
        one(
            "watch.rescan_interval", "how often every folder is read again", \.watch.rescanInterval,
            { try duration($0, minimum: .seconds(1)) }, text: text),
        list("watch.ignore", "shell patterns of names to ignore", \.watch.ignore, { $0 }),
        list(
            "watch.extensions", "extensions of photographs", \.watch.extensions,
            { String($0.lowercased().trimmingPrefix(".")) }),
        one(
            "watch.on_success", "keep, archive or delete originals whose output is durable", \.watch.onSuccess, choice,
            text: \.rawValue),
        one(
            "watch.on_duplicate", "list a file with known content, or copy the output for it", \.watch.onDuplicate,
            choice, text: \.rawValue),
    ]

    static let output = [
        one("output.dir", "folder that outputs are written to", \.output.directory, path, text: \.string),
        one(
            "output.template", "name of an output without extension; {stem} is the input's", \.image.nameTemplate,
            template),
        one("output.format", "same, tiff, png or jpeg", \.image.format, choice, text: \.rawValue),
        one("output.bit_depth", "8 or 16; the input's if not set", \.image.bitDepth) {
            try integer($0, in: 8...16, allowed: [8, 16])
        },
        one(
            "output.compression", "deflate or none, of TIFF; deflate if not set", \.image.compression, choice,
            text: \.rawValue),
    ]

    static let denoise = [
        one("denoise.preset", "fast, balanced or best", \.image.preset, choice, text: \.rawValue),
        one("denoise.method", "amsnet, plain, zsn2n or dbsn", \.image.method, choice, text: \.rawValue),
        one("denoise.model", "name of a model in the state folder, or a file", \.image.model, { $0 }),
        one("denoise.strength", "0 keeps the photograph, 1 denoises it fully", \.image.strength, fraction, text: text),
        one(
            "denoise.on_clean", "copy or skip photographs without noise that can be seen; copy if not set",
            \.image.onClean, choice, text: \.rawValue),
        one("denoise.tile", "side of a tile in pixels", \.image.tile) { try integer($0, in: 16...65536) },
        one("denoise.overlap", "pixels shared by neighbouring tiles", \.image.overlap) {
            try integer($0, in: 0...8192)
        },
        one("denoise.refinements", "copies T of the refinement", \.image.refinements) {
            try integer($0, in: 0...1024)
        },
        one("denoise.seed", "seed of masks and replacements", \.image.seed, seed),
    ]

    static let finetune = [
        one("finetune.enabled", "whether the model adapts itself to this camera", \.finetune.isEnabled, boolean),
        one("finetune.schedule", "part of the day in which it may, as 01:00-05:00", \.finetune.schedule, window),
        one("finetune.min_captures", "photographs needed for it", \.finetune.minimumCaptures) {
            try integer($0, in: 1...1_000_000)
        },
    ]

    static let limits = [
        one("limits.threads", "worker threads; every core if not set", \.image.threads) {
            try integer($0, in: 1...1024)
        },
        one(
            "limits.memory", "bytes that a decoded photograph may take; follows limits.megapixels if not set",
            \.limits.memory, { try bytes($0, minimum: 1 << 20) }, text: text),
        one(
            "limits.megapixels", "larger photographs are refused", \.limits.megapixels,
            { try number($0, in: 0.001...4_000) }, text: text),
        one(
            "limits.min_free_space", "bytes that stay free where outputs are written, as 1GiB",
            \.limits.minimumFreeSpace, { try bytes($0) }, text: text),
        one("limits.max_attempts", "failures in a row until a photograph is quarantined", \.limits.maximumAttempts) {
            try integer($0, in: 1...1000)
        },
        one(
            "limits.retry_backoff", "time before another attempt, doubled each time", \.limits.retryBackoff,
            { try duration($0, minimum: .seconds(1)) }, text: text),
    ]

    static let hooks = [
        one("hooks.pre", "program to run before a photograph is denoised", \.hooks.pre, path, text: \.string),
        one("hooks.post", "program to run when a photograph reached its end", \.hooks.post, path, text: \.string),
        one(
            "hooks.timeout", "how long a hook may take", \.hooks.timeout, { try duration($0, minimum: .seconds(1)) },
            text: text),
    ]

    static let history = [
        one(
            "history.keep", "how long photographs that left the inbox are remembered; for ever if not set",
            \.history.keep, { try duration($0, minimum: .seconds(86400)) }, text: text)
    ]

    static let decoder = [
        one(
            "decoder.confinement", "required, or preferred: RAW is decoded even where decoders cannot be locked in",
            \.decoder.confinement, choice, text: \.rawValue)
    ]

    static let state = [
        one("state.dir", "folder of ledger, lock and models", \.state, path, text: \.string)
    ]
}
