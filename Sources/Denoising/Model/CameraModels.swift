import Synchronization

/// The models of cameras that have one of their own. Only one is held in memory: photographs of one camera come together.
final class CameraModels: Sendable {
    /// A model's name and hash by camera.
    let facts: [Camera: (name: String, hash: String)]
    private let store: ModelStore
    private let latest = Mutex<(camera: Camera, model: Model)?>(nil)

    /// Reads every model once, so that a damaged one is known before a photograph needs it.
    ///
    /// - Throws: `ModelError`.
    init(_ store: ModelStore) throws(ModelError) {
        self.store = store
        var facts: [Camera: (name: String, hash: String)] = [:]
        for camera in store.cameras {
            let model = try store.model(named: nil, for: camera)
            facts[camera] = (model.name, model.hash)
        }
        self.facts = facts
    }

    /// The model of a camera as it was when the program started; nil where it has none.
    ///
    /// - Throws: `ModelError` where its file is another one by now.
    func model(of camera: Camera) throws -> Model? {
        guard let (name, hash) = facts[camera] else { return nil }
        if let latest = latest.withLock({ $0 }), latest.camera == camera { return latest.model }
        // By its name: meanwhile another may have been promoted, which counts from the next start or reload on.
        let model = try store.model(named: name)
        guard model.hash == hash else {
            throw ModelError(
                file: name, cause: "the file changed since it was chosen for \(camera)",
                remedy: "reload the service, or start again")
        }
        latest.withLock { $0 = (camera, model) }
        return model
    }
}
