import Foundation

/// What there is to learn from, and when models last learned: enough to say whose turn it is.
public struct CaptureCensus: Sendable, Equatable {
    /// One crop.
    public struct Crop: Sendable, Equatable {
        /// Nil for photographs that name none.
        public var camera: Camera?
        public var date: Date

        public init(camera: Camera?, date: Date) {
            self.camera = camera
            self.date = date
        }
    }

    /// For which photographs a model is to be made: one camera's, or with nil those of all that have none of their own.
    public struct Turn: Sendable, Hashable {
        public var camera: Camera?

        public init(camera: Camera?) { self.camera = camera }
    }

    public var crops: [Crop]
    /// When each last learned; absent for never.
    public var learned: [Turn: Date]

    public init(crops: [Crop] = [], learned: [Turn: Date] = [:]) {
        self.crops = crops
        self.learned = learned
    }

    /// How many crops a model learns from: the general one from all.
    public func count(for turn: Turn) -> Int {
        turn.camera.map { camera in crops.count { $0.camera == camera } } ?? crops.count
    }

    /// Whose model is to be fitted next; nil while there is too little, or too little new, to learn from.
    ///
    /// A camera with `minimum` crops gets a model of its own. The general model serves the others, and learns from all
    /// crops when there are so many in all. A turn needs a quarter of new crops (of the general model's, among those
    /// that it serves). Of several, the one that has waited longest is next, so that none starves; of those that never
    /// learned, the one with most new crops.
    public func turn(atLeast minimum: Int) -> Turn? {
        let byCamera = Dictionary(grouping: crops, by: \.camera)
        let (own, served) = (
            byCamera.filter { $0.key != nil && $0.value.count >= minimum },
            byCamera.filter { $0.key == nil || $0.value.count < minimum }.flatMap(\.value)
        )
        var due = own.compactMap { self.due(Turn(camera: $0), $1) }
        if crops.count >= minimum, let general = self.due(Turn(camera: nil), served) { due.append(general) }
        return due.min { $0.rank < $1.rank }?.turn
    }

    private struct Due {
        let turn: Turn
        /// Smaller is sooner. Equal ones are told apart by their names, so that the choice is always the same.
        let rank: (Date, Int, String)
    }

    private func due(_ turn: Turn, _ crops: [Crop]) -> Due? {
        let last = learned[turn] ?? .distantPast
        let new = crops.count { $0.date > last }
        guard new > 0, new * 4 >= crops.count else { return nil }
        return Due(turn: turn, rank: (last, -new, turn.camera?.name ?? ""))
    }
}
